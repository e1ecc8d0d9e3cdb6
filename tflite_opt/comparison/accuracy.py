# SPDX-License-Identifier: Apache-2.0
"""The loss of a candidate from another run, paired by example."""

from tflite_opt.evaluation import evaluate
from tflite_opt.evaluation.metrics import base as metrics_lib
from tflite_opt.records import errors, evaluation, files


def paired_drop(
    baseline: evaluation.Evaluation,
    candidate: evaluation.Evaluation,
    max_accuracy_drop: float,
    metric: str | None = None,
) -> evaluation.MetricDrop:
    """Judges the loss of a metric on the examples that both have seen.

    Args:
        baseline: Of the same split of the same data.
        candidate: Likewise.
        max_accuracy_drop: Limit on the loss, in its unit.
        metric: Its name; by default the primary one.

    Raises:
        DataError: If examples or metrics differ, or predictions are gone.
    """
    for found in (baseline, candidate):
        _check_predictions(found)
    name = metric or candidate.metric.name
    return evaluate.metric_drop(
        metrics_lib.named(name),
        files.read_npz(candidate.predictions_path),
        baseline,
        candidate.data_fingerprint,
        max_accuracy_drop,
    )


def _check_predictions(found: evaluation.Evaluation) -> None:
    path = found.predictions_path
    if not path.is_file():
        raise errors.DataError(
            "A paired difference needs the predictions of both models. "
            f"Received: {str(path)!r}, which is not there. Keep the folder "
            "`evaluations` of the run."
        )
    if files.sha256_of_file(path) != found.predictions_sha256:
        raise errors.DataError(
            "Predictions must be those of the evaluation. Received: "
            f"{str(path)!r}, which was changed since. Evaluate again."
        )
