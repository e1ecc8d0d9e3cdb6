# SPDX-License-Identifier: Apache-2.0
"""Predictions of a `.tflite` on a split, and what follows from them.

Knows the interpreter and numpy; TensorFlow is not imported.
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
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors, evaluation, files
from tflite_opt.tflite import interpreter, probe

_TOP_K = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """How to evaluate.

    Attributes:
        max_accuracy_drop: Limit on the loss against the baseline, a fraction.
        num_workers: Interpreters in parallel; 0 for one on each CPU.
    """

    max_accuracy_drop: float = 0.005
    num_workers: int = 0

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a value is out of its range.
        """
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
    keras_outputs: Mapping[str, np.ndarray] | None = None,
) -> evaluation.Evaluation:
    """Evaluates a classifier and writes its predictions.

    Args:
        artifact: A `.tflite` whose first output has shape `(n, classes)`.
        split: The examples.
        dataset: Name of their data set.
        predictions_path: Gets the per-example predictions.
        options: How.
        baseline: Evaluation of the float32 variant on the same split.
        keras_outputs: The Keras model's outputs on the split, by name.

    Raises:
        ModelError: If the file cannot be run or is no classifier.
        DataError: If inputs, labels or baseline do not fit.
    """
    outputs = _run(artifact, split, options)
    scores = next(iter(outputs.values()))
    _check_scores(scores, split, artifact)
    predictions = scores.argmax(axis=-1).astype(np.int64)
    files.write_npz(
        predictions_path,
        {
            "ids": split.ids,
            "labels": split.labels,
            "predictions": predictions,
        },
    )
    fingerprint = split.fingerprint()
    return evaluation.Evaluation(
        artifact=artifact,
        dataset=dataset,
        split=split.name,
        data_fingerprint=fingerprint,
        metrics=_accuracies(scores, predictions, split.labels),
        num_examples=len(split),
        predictions_path=predictions_path,
        predictions_sha256=files.sha256_of_file(predictions_path),
        agreement=(
            agreement(outputs, keras_outputs)
            if keras_outputs is not None
            else None
        ),
        drop=(
            accuracy_drop(
                predictions == split.labels,
                baseline,
                fingerprint,
                options.max_accuracy_drop,
            )
            if baseline is not None
            else None
        ),
    )


def _run(
    artifact: artifact_record.Artifact,
    split: dataset_lib.Split,
    options: Options,
) -> dict[str, np.ndarray]:
    delegate = _usable_delegate(artifact.path, artifact.sha256)
    specs = interpreter.load(artifact.path, delegate=delegate).inputs
    return interpreter.predict(
        artifact.path,
        representative.match_inputs(split.inputs, specs),
        delegate=delegate,
        num_workers=options.num_workers or os.cpu_count() or 1,
    )


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


def _check_scores(
    scores: np.ndarray,
    split: dataset_lib.Split,
    artifact: artifact_record.Artifact,
) -> None:
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise errors.ModelError(
            "Top-1 accuracy needs a first output of shape (n, classes). "
            f"Received: model={artifact.name!r}, shape={scores.shape}."
        )
    labels = split.class_indices()
    largest = int(labels.max())
    if labels.min() < 0 or largest >= scores.shape[1]:
        raise errors.DataError(
            "Labels must be in [0, classes of the model). Received: "
            f"labels from {int(labels.min())} to {largest}, "
            f"classes={scores.shape[1]}. Use the data set it was trained on."
        )


def _accuracies(
    scores: np.ndarray, predictions: np.ndarray, labels: np.ndarray
) -> tuple[evaluation.Metric, ...]:
    correct = {"top1": predictions == labels}
    if scores.shape[1] > _TOP_K:
        # Ties go to the lower class, as in argmax.
        best = np.argsort(-scores, axis=-1, kind="stable")[:, :_TOP_K]
        correct["top5"] = (best == labels[:, None]).any(axis=-1)
    return tuple(
        intervals.accuracy(name, int(values.sum()), len(values))
        for name, values in correct.items()
    )


def agreement(
    outputs: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]
) -> evaluation.Agreement:
    """Compares dequantized outputs with those of the Keras model.

    Args:
        outputs: By name, shape `(n, ...)`, float32.
        reference: Likewise, from the Keras model.

    Raises:
        DataError: If names or shapes differ.
    """
    shapes = {name: array.shape for name, array in outputs.items()}
    expected = {name: array.shape for name, array in reference.items()}
    if shapes != expected:
        raise errors.DataError(
            "The outputs must be those of the Keras model. "
            f"Received: {shapes}, Keras model: {expected}."
        )
    name = next(iter(outputs))
    differences = np.concatenate(
        [
            np.abs(outputs[key].astype(np.float64) - reference[key]).reshape(-1)
            for key in outputs
        ]
    )
    same = outputs[name].argmax(axis=-1) == reference[name].argmax(axis=-1)
    return evaluation.Agreement(
        num_examples=len(same),
        same_predictions=float(same.mean()),
        max_absolute_difference=float(differences.max()),
        mean_absolute_difference=float(differences.mean()),
    )


def accuracy_drop(
    correct: np.ndarray,
    baseline: evaluation.Evaluation,
    fingerprint: str,
    max_accuracy_drop: float,
) -> evaluation.AccuracyDrop:
    """Judges the paired loss of accuracy against a limit.

    Args:
        correct: Per example, shape `(n,)`, bool.
        baseline: Evaluation on the same examples in the same order.
        fingerprint: Of the split of `correct`.
        max_accuracy_drop: The limit, a fraction.

    Raises:
        DataError: If the baseline saw other examples.
    """
    if baseline.data_fingerprint != fingerprint:
        raise errors.DataError(
            "A paired difference needs the same examples. Received: a "
            f"baseline on {baseline.dataset}/{baseline.split} with another "
            "fingerprint. Evaluate both on the same data."
        )
    with np.load(baseline.predictions_path) as stored:
        baseline_correct = stored["predictions"] == stored["labels"]
    lost = int((baseline_correct & ~correct).sum())
    won = int((~baseline_correct & correct).sum())
    low, high = intervals.paired_difference(lost, won, len(correct))
    if high <= max_accuracy_drop:
        verdict: evaluation.Verdict = "within"
    elif low > max_accuracy_drop:
        verdict = "exceeded"
    else:
        verdict = "not provable"
    return evaluation.AccuracyDrop(
        baseline=baseline.artifact.sha256,
        num_examples=len(correct),
        value=(lost - won) / len(correct),
        low=low,
        high=high,
        method="tango",
        only_baseline_correct=lost,
        only_candidate_correct=won,
        max_accuracy_drop=max_accuracy_drop,
        verdict=verdict,
        examples_needed=(
            intervals.pairs_needed(lost, won, len(correct), max_accuracy_drop)
            if verdict == "not provable"
            else None
        ),
    )
