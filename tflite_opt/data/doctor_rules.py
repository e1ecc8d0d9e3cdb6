# SPDX-License-Identifier: Apache-2.0
"""What numbers about representative data mean, and when that is worth a word.

Each threshold is far from what samples of the train split itself give, so that
a warning is news.
"""

from collections.abc import Iterator

import numpy as np

from tflite_opt.data import sample_statistics
from tflite_opt.records import data_check, errors, finding

MIN_SAMPLES = 100
# Samples of a real split have 0.8 to 1.1, noise of any kind at most 0.3.
MIN_STRUCTURE = 0.5
# 0 to 255 against 0 to 1 is 255, 0 to 16 is 16; -1 to 1 is only 2.
_MAX_SCALE = 8.0
_MAX_OUTSIDE_FRACTION = 0.01
# In train's standard deviations, and as a factor of them.
_MAX_SHIFT = 0.5
_MAX_SPREAD = 2.0
# More than in train, as a fraction of the samples.
_MAX_MORE_FRACTION = 0.05
# Changes of class from sample to sample, against those of a random order.
_MIN_ORDER_FRACTION = 0.5
_MIN_EXPECTED_CHANGES = 5.0


def unusable(error: errors.DataError) -> finding.Finding:
    """Returns the finding about data that cannot be right."""
    return finding.Finding(
        rule="unusable",
        severity="error",
        message=str(error),
        reason="Calibration would fail or fix ranges that mean nothing.",
        remedy="",
    )


def about_count(num_samples: int) -> Iterator[finding.Finding]:
    """Yields what the number of samples is worth saying."""
    if num_samples < MIN_SAMPLES:
        yield finding.Finding(
            rule="too-few-samples",
            severity="warning",
            message=f"{num_samples} representative samples",
            reason="Rare large activations may be missing from them, and "
            "saturate later.",
            remedy=f"Take at least {MIN_SAMPLES}: --num_calibration.",
        )


def about_classes(
    labels: np.ndarray, train_labels: np.ndarray
) -> Iterator[finding.Finding]:
    """Yields what is worth saying of class labels.

    Args:
        labels: Of the samples, shape `(n,)`, integers.
        train_labels: Of the train split, likewise.
    """
    classes, counts = np.unique(labels, return_counts=True)
    known = np.unique(train_labels)
    missing = np.setdiff1d(known, classes)
    if len(missing):
        enough = len(labels) >= len(known)
        yield finding.Finding(
            rule="classes-not-covered",
            severity="warning" if enough else "note",
            message=f"{len(missing)} of {len(known)} classes have no sample, "
            f"the first is {missing[0]}",
            reason="What only they activate is not calibrated.",
            remedy="Draw the samples from all classes.",
        )
    same_pairs = (counts * (counts - 1)).sum() / max(len(labels), 1)
    expected = len(labels) - 1 - same_pairs
    changes = int(np.count_nonzero(np.diff(labels)))
    if (
        expected >= _MIN_EXPECTED_CHANGES
        and changes < _MIN_ORDER_FRACTION * expected
    ):
        yield finding.Finding(
            rule="ordered-samples",
            severity="note",
            message=f"samples come class by class: {changes} changes of class "
            f"where a random order has about {expected:.0f}",
            reason="LiteRT Quantizer's default, a moving average, would depend "
            "mostly on the last ones. Calibration here takes the true minimum "
            "and maximum, in any order.",
            remedy="Shuffle them before calibrating elsewhere.",
        )


def about_input(
    check: data_check.InputCheck, usual: sample_statistics.Summary
) -> Iterator[finding.Finding]:
    """Yields what is worth saying of one input.

    Args:
        check: The representative samples.
        usual: Samples of the train split.
    """
    ranges = list(_about_range(check))
    yield from ranges
    yield from _about_samples(check, usual)
    # Values of another scale are cut off before their structure is judged.
    if (
        check.structure is not None
        and check.structure < MIN_STRUCTURE
        and not any(item.rule == "another-scale" for item in ranges)
    ):
        yield _warning(
            check,
            "random-noise",
            "looks like random noise: its values have "
            f"{max(check.structure, 0):.2f} of the structure of the train "
            "split, where 1 is alike and 0 is white noise",
            "Noise activates a network as no real example does, so the ranges "
            "are wrong though nothing fails.",
            "Calibrate with real examples.",
        )
    if check.dead_channels:
        yield _warning(
            check,
            "dead-channels",
            f"{check.dead_channels} of {check.num_channels} channels never "
            "change, though they do in the train split",
            "What depends on them is not calibrated.",
            "Check how the samples were read.",
        )


def _about_range(check: data_check.InputCheck) -> Iterator[finding.Finding]:
    """Yields the strongest of what there is to say about the values."""
    own, usual = check.values, check.train
    ranges = (
        f"{own.minimum:.4g} to {own.maximum:.4g} where the train split has "
        f"{usual.minimum:.4g} to {usual.maximum:.4g}"
    )
    spread = own.std / usual.std if usual.std else 1.0
    shift = abs(own.mean - usual.mean) / usual.std if usual.std else 0.0
    if not 1 / _MAX_SCALE < spread < _MAX_SCALE:
        yield _warning(
            check,
            "another-scale",
            f"values spread {spread:.3g} times as far: {ranges}",
            "Every range would be calibrated for values that the model never "
            "gets.",
            "Give the samples the preprocessing of the training.",
        )
    elif check.outside_train_range > _MAX_OUTSIDE_FRACTION:
        yield _warning(
            check,
            "outside-train-range",
            f"{check.outside_train_range:.1%} of the values are outside the "
            f"range of the train split: {ranges}",
            "Wider ranges make coarser steps.",
            "Give the samples the preprocessing of the training.",
        )
    elif shift > _MAX_SHIFT or not 1 / _MAX_SPREAD < spread < _MAX_SPREAD:
        yield _warning(
            check,
            "unlike-train",
            f"mean {own.mean:.4g} and standard deviation {own.std:.4g} where "
            f"the train split has {usual.mean:.4g} and {usual.std:.4g}",
            "Ranges are calibrated for other data than the model learned.",
            "Take samples like those of the training, preprocessed alike.",
        )


def _about_samples(
    check: data_check.InputCheck, usual: sample_statistics.Summary
) -> Iterator[finding.Finding]:
    def share_is_larger(own: int, in_train: int) -> bool:
        more = own / check.values.num_samples
        more -= in_train / usual.values.num_samples
        return more > _MAX_MORE_FRACTION

    count = check.values.num_samples
    if share_is_larger(check.constant_samples, usual.constant_samples):
        yield _warning(
            check,
            "constant-samples",
            f"{check.constant_samples} of {count} samples have one value "
            f"throughout, {check.zero_samples} are all zero",
            "They calibrate nothing.",
            "Check how the samples were read.",
        )
    if share_is_larger(check.duplicate_samples, usual.duplicate_samples):
        yield _warning(
            check,
            "duplicate-samples",
            f"{check.duplicate_samples} of {count} samples repeat an earlier "
            "one",
            "Repetitions calibrate nothing.",
            "Take different samples.",
        )


def _warning(
    check: data_check.InputCheck,
    rule: str,
    message: str,
    reason: str,
    remedy: str,
) -> finding.Finding:
    return finding.Finding(
        rule=rule,
        severity="warning",
        message=f"input {check.name!r}: {message}",
        reason=reason,
        remedy=remedy,
    )
