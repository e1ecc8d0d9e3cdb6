# SPDX-License-Identifier: Apache-2.0
"""Predictions of a `.tflite` on a split, and what follows from them.

Inputs and outputs are looked at batch by batch; what is kept of each example
is up to the metrics. Knows the interpreter and numpy; TensorFlow is not
imported.
"""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Mapping

import numpy as np

from tflite_opt import intervals
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import representative
from tflite_opt.evaluation import original
from tflite_opt.evaluation.metrics import base as metrics_lib
from tflite_opt.evaluation.metrics import task as task_lib
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors, evaluation, files
from tflite_opt.tflite import interpreter, loaded_model, probe


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How to evaluate.

    Attributes:
        metric: Name of the primary metric, or `auto` for the one that labels
            and outputs ask for.
        max_accuracy_drop: Limit on the loss of the primary metric against the
            baseline, a fraction; of the baseline's value if the metric itself
            is none.
        num_workers: Interpreters in parallel; 0 for one on each CPU.
    """

    metric: str = metrics_lib.AUTO
    max_accuracy_drop: float = 0.005
    num_workers: int = 0

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a value is out of its range, or there is no such
                metric.
        """
        if self.metric != metrics_lib.AUTO:
            metrics_lib.named(self.metric)
        if not 0 <= self.max_accuracy_drop < 1:
            raise errors.InputError(
                "`max_accuracy_drop` must be a fraction in [0, 1). "
                f"Received: max_accuracy_drop={self.max_accuracy_drop}. "
                "Half a percentage point is 0.005."
            )
        if self.num_workers < 0:
            raise errors.InputError(
                "`num_workers` must be at least 0. "
                f"Received: num_workers={self.num_workers}"
            )


def evaluate(
    artifact: artifact_record.Artifact,
    split: dataset_lib.Split,
    *,
    dataset: str,
    predictions_path: pathlib.Path,
    options: Options,
    baseline: evaluation.Evaluation | None = None,
    original_outputs: Mapping[str, np.ndarray] | None = None,
) -> evaluation.Evaluation:
    """Evaluates a model and writes what is kept of each example.

    Args:
        artifact: A `.tflite`.
        split: The examples.
        dataset: Name of their data set.
        predictions_path: Gets the per-example statistics.
        options: How.
        baseline: Evaluation of the float32 variant on the same split.
        original_outputs: The original model's outputs on the split, by name.

    Raises:
        ModelError: If the file cannot be run or the metric does not fit it.
        DataError: If inputs, labels, metric or baseline do not fit.
    """
    delegate = _usable_delegate(artifact.path, artifact.sha256)
    model = interpreter.load(artifact.path, delegate=delegate)
    inputs = representative.match_inputs(split.inputs, model.inputs)
    task = _task(artifact.name, model, inputs, split, original_outputs)
    chosen = metrics_lib.choose(options.metric, task)
    statistics, agreement = _collect(model, inputs, task, chosen, options)
    for metric in chosen:
        statistics = metric.complete(statistics)
    kept = {**_labels(split), **statistics}
    measured = tuple(metric.measure(kept) for metric in chosen)
    fingerprint, drop = split.fingerprint(), None
    if baseline is not None:
        drop = metric_drop(
            chosen[0], kept, baseline, fingerprint, options.max_accuracy_drop
        )
    files.write_npz(predictions_path, {"ids": split.ids, **kept})
    return evaluation.Evaluation(
        artifact=artifact,
        dataset=dataset,
        split=split.name,
        data_fingerprint=fingerprint,
        metrics=measured,
        num_examples=len(split),
        predictions_path=predictions_path,
        predictions_sha256=files.sha256_of_file(predictions_path),
        agreement=agreement,
        drop=drop,
        is_labelled=split.labels is not None,
    )


def _task(
    name: str,
    model: loaded_model.LoadedModel,
    inputs: loaded_model.Arrays,
    split: dataset_lib.Split,
    originals: Mapping[str, np.ndarray] | None,
) -> task_lib.Task:
    """Returns the shapes; the file may leave some open, a run does not."""
    first = model.run({name: array[:1] for name, array in inputs.items()})
    task = task_lib.Task(
        model=name,
        input_shapes={name: array.shape[1:] for name, array in inputs.items()},
        output_shapes={name: array.shape[1:] for name, array in first.items()},
        labels=split.labels,
        originals=originals,
    )
    if originals is not None:
        original.check(task.output_shapes, originals, len(split))
    return task


def _labels(split: dataset_lib.Split) -> dict[str, np.ndarray]:
    if split.labels is None or split.labels.ndim > 1:
        return {}
    return {"labels": split.labels}


def _collect(
    model: loaded_model.LoadedModel,
    inputs: loaded_model.Arrays,
    task: task_lib.Task,
    chosen: tuple[metrics_lib.Metric, ...],
    options: Options,
) -> tuple[metrics_lib.Statistics, evaluation.Agreement | None]:
    """Runs the model; returns statistics of all examples."""

    def look(
        begin: int, rows: loaded_model.Arrays, raw: loaded_model.Arrays
    ) -> tuple[dict[str, np.ndarray], original.Differences | None]:
        batch = task.batch(begin, rows, model.to_real(raw))
        kept: dict[str, np.ndarray] = {}
        for metric in chosen:
            kept |= metric.statistics(batch)
        if batch.originals is None:
            return kept, None
        return kept, original.differences(
            batch.outputs, batch.originals, task.has_class_scores
        )

    parts = interpreter.map_batches(
        model,
        inputs,
        look,
        num_workers=options.num_workers or os.cpu_count() or 1,
    )
    statistics = {
        key: np.concatenate([kept[key] for kept, _ in parts])
        for key in parts[0][0]
    }
    apart = [differences for _, differences in parts if differences]
    return statistics, original.agreement(apart) if apart else None


@functools.lru_cache
def _usable_delegate(path: pathlib.Path, sha256: str) -> benchmark.Delegate:
    """Returns XNNPACK, or none for a file that only builtin kernels prepare.

    Asks a child process: a damaged file can crash the interpreter.
    """
    del sha256  # Part of the key: another file may come to the same path.
    found = probe.probe(path)
    if not found.delegate_error:
        return "xnnpack"
    if not found.builtin_error:
        return "none"
    raise errors.ModelError(
        "The interpreter must be able to prepare the model. Received: "
        f"{str(path)!r}, {found.delegate_error}"
    )


def metric_drop(
    metric: metrics_lib.Metric,
    statistics: metrics_lib.Statistics,
    baseline: evaluation.Evaluation,
    fingerprint: str,
    max_accuracy_drop: float,
) -> evaluation.MetricDrop:
    """Judges the paired loss of a metric against a limit.

    Args:
        metric: The primary metric.
        statistics: What it keeps of each example, with `labels`.
        baseline: Evaluation on the same examples in the same order.
        fingerprint: Of the split.
        max_accuracy_drop: The limit, in the unit of the loss.

    Raises:
        DataError: If the baseline saw other examples or has another metric.
    """
    if baseline.data_fingerprint != fingerprint:
        raise errors.DataError(
            "A paired difference needs the same examples. Received: a "
            f"baseline on {baseline.dataset}/{baseline.split} with another "
            "fingerprint. Evaluate both on the same data."
        )
    if baseline.metric.name != metric.name:
        raise errors.DataError(
            "A paired difference needs the same metric. Received: "
            f"{metric.name}, and {baseline.metric.name} of the baseline."
        )
    with np.load(baseline.predictions_path) as stored:
        loss = metric.loss(statistics, dict(stored))
    if loss.high <= max_accuracy_drop:
        verdict: evaluation.Verdict = "within"
    elif loss.low > max_accuracy_drop:
        verdict = "exceeded"
    else:
        verdict = "not provable"
    lost, won = loss.only_baseline_correct, loss.only_candidate_correct
    return evaluation.MetricDrop(
        baseline=baseline.artifact.sha256,
        num_examples=baseline.num_examples,
        **dataclasses.asdict(loss),
        max_accuracy_drop=max_accuracy_drop,
        verdict=verdict,
        examples_needed=(
            intervals.pairs_needed(
                lost, won, baseline.num_examples, max_accuracy_drop
            )
            if verdict == "not provable"
            and lost is not None
            and won is not None
            else None
        ),
    )
