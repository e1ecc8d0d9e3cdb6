# SPDX-License-Identifier: Apache-2.0
"""Looks at representative data before they decide about a quantization.

Calibration fixes every range at what it sees, so samples that are not like the
data the model was trained on cost accuracy, and nothing else would say so.
Imports no TensorFlow. Knows splits and what a model's inputs are, not how data
are loaded.
"""

from collections.abc import Sequence

import numpy as np

from tflite_opt.data import (
    dataset,
    doctor_rules,
    representative,
    sample_statistics,
)
from tflite_opt.records import data_check, errors, facts

# Enough that a range or a mean of train is known to a few per cent.
MAX_TRAIN_SAMPLES = 1000

_SEVERITIES = ("error", "warning", "note")


def examine(
    calibration: dataset.Split,
    train: dataset.Split,
    input_specs: Sequence[facts.TensorSpec] | None = None,
) -> data_check.DataCheck:
    """Compares representative samples with the model and the train split.

    Args:
        calibration: The samples, from the train split or from elsewhere; held
            in memory.
        train: What the model was trained on. At most 1000 of its examples are
            looked at, chosen with a fixed seed, batch by batch.
        input_specs: The model's inputs; None takes the data's own, so that
            shapes and dtypes always fit.

    Returns:
        Numbers and findings. What cannot be right is a finding of severity
        `error`; see `require_usable`.
    """
    specs = input_specs or _own_specs(calibration)
    found = list(doctor_rules.about_count(len(calibration)))
    if _has_classes(calibration.labels) and _has_classes(train.labels):
        found += doctor_rules.about_classes(calibration.labels, train.labels)
    inputs = []
    try:
        samples = representative.match_inputs(calibration.inputs, specs)
        others = representative.match_inputs(train.inputs, specs)
    except errors.DataError as error:
        found.append(doctor_rules.unusable(error))
        specs = ()
    rows = sample_statistics.seeded_rows(len(train), MAX_TRAIN_SAMPLES)
    for spec in specs:
        array = np.asarray(samples[spec.name][:])
        try:
            representative.check_samples(array, spec, calibration.ids)
            own = sample_statistics.summarize(
                array, np.arange(len(array)), spec.name
            )
            usual = sample_statistics.summarize(
                others[spec.name], rows, spec.name
            )
        except errors.DataError as error:
            found.append(doctor_rules.unusable(error))
            continue
        check = _check(spec, array, own, usual)
        inputs.append(check)
        found += doctor_rules.about_input(check, usual)
    found.sort(key=lambda item: _SEVERITIES.index(item.severity))
    return data_check.DataCheck(
        num_samples=len(calibration),
        num_classes=_num_classes(train.labels),
        classes_covered=_num_classes(calibration.labels),
        inputs=tuple(inputs),
        findings=tuple(found),
    )


def require_usable(check: data_check.DataCheck) -> None:
    """Refuses data that cannot be right.

    Raises:
        DataError: The first finding of severity `error`.
    """
    for item in check.findings:
        if item.severity == "error":
            raise errors.DataError(item.message)


def _own_specs(split: dataset.Split) -> tuple[facts.TensorSpec, ...]:
    return tuple(
        facts.TensorSpec(
            name=name, shape=(-1, *x.shape[1:]), dtype=np.dtype(x.dtype).name
        )
        for name, x in split.inputs.items()
    )


def _has_classes(labels: np.ndarray | None) -> bool:
    return labels is not None and labels.ndim == 1 and labels.dtype.kind in "iu"


def _num_classes(labels: np.ndarray | None) -> int | None:
    return len(np.unique(labels)) if _has_classes(labels) else None


def _check(
    spec: facts.TensorSpec,
    array: np.ndarray,
    own: sample_statistics.Summary,
    usual: sample_statistics.Summary,
) -> data_check.InputCheck:
    low, high = usual.values.minimum, usual.values.maximum
    dead = usual.channel_changes & ~own.channel_changes
    return data_check.InputCheck(
        name=spec.name,
        shape=array.shape[1:],
        dtype=array.dtype.name,
        values=own.values,
        train=usual.values,
        outside_train_range=float(((array < low) | (array > high)).mean()),
        constant_samples=own.constant_samples,
        zero_samples=own.zero_samples,
        duplicate_samples=own.duplicate_samples,
        num_channels=len(dead),
        dead_channels=int(dead.sum()),
        # Integers are indices here, whose neighbourhood means nothing.
        structure=(
            sample_statistics.structure(own.picked, usual.picked)
            if array.dtype.kind == "f"
            else None
        ),
    )
