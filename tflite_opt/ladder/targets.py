# SPDX-License-Identifier: Apache-2.0
"""Whether a rung meets a target: known, refuted, or not to be told."""

from collections.abc import Sequence

from tflite_opt import intervals
from tflite_opt.records import ladder

# Targets that are met by small figures.
_SMALL = ("metric drop", "divergence")


def verdict(target: ladder.Target, rung: ladder.Rung) -> ladder.Verdict | None:
    """Judges a rung by intervals where there are examples to count.

    Returns:
        None if what the target looks at is not known of the rung.
    """
    drop, limit = rung.drop, target.limit
    if target.kind == "metric drop":
        if drop is None:
            return None
        if drop.high <= limit:
            return "met"
        return "missed" if drop.low > limit else "not provable"
    if target.kind == "agreement":
        counted = _counted(rung)
        if counted is None:
            return None
        low, high = intervals.wilson(*counted)
        if low >= limit:
            return "met"
        return "missed" if high < limit else "not provable"
    if _value(target, rung) is None:
        return None
    return "met" if is_estimated(target, rung) else "missed"


def is_estimated(target: ladder.Target, rung: ladder.Rung) -> bool:
    """Whether the estimate meets the target, whatever its interval."""
    found = _value(target, rung)
    if found is None:
        return False
    if target.kind in _SMALL:
        return found <= target.limit
    return found >= target.limit


def is_provable(target: ladder.Target, rung: ladder.Rung) -> bool:
    """Whether a rung without any fault would meet the target for certain.

    On few examples it would not, and climbing on would prove nothing.
    """
    if target.kind == "metric drop" and rung.drop is not None:
        if rung.drop.only_baseline_correct is None:
            return True
        none_lost = intervals.paired_difference(0, 0, rung.drop.num_examples)
        return none_lost[1] <= target.limit
    counted = _counted(rung)
    if target.kind == "agreement" and counted is not None:
        return intervals.wilson(counted[1], counted[1])[0] >= target.limit
    return True


def nearest(target: ladder.Target, tried: Sequence[ladder.Rung]) -> ladder.Rung:
    """Returns the rung that misses the target least.

    Args:
        target: What is wanted.
        tried: At least one, in order; the earliest of equal ones is returned,
            and the last if the target's figure is not known of any.
    """
    known = [
        (x, rung) for rung in tried if (x := _value(target, rung)) is not None
    ]
    if not known:
        return tried[-1]
    small = target.kind in _SMALL
    return min(known, key=lambda pair: pair[0] if small else -pair[0])[1]


def _value(target: ladder.Target, rung: ladder.Rung) -> float | None:
    match target.kind:
        case "metric drop":
            return rung.drop.value if rung.drop else None
        case "agreement":
            counted = _counted(rung)
            return counted[0] / counted[1] if counted else None
        case "divergence":
            return rung.divergence
    return rung.snr_db


def _counted(rung: ladder.Rung) -> tuple[int, int] | None:
    """Returns equal predictions and all of them, on the validation split."""
    found = rung.validation_agreement
    if found is None or found.same_predictions is None:
        return None
    return (
        round(found.same_predictions * found.num_examples),
        found.num_examples,
    )
