# SPDX-License-Identifier: Apache-2.0
"""How far outcomes are beyond the limits, and what beats what."""

from collections.abc import Mapping, Sequence

from tflite_opt.records import search
from tflite_opt.report import recommendation

# A percentage point of accuracy beyond its limit counts as much as a size or
# a latency that is its whole limit beyond.
_DROP_UNIT = 0.01

# Loss, latency over float32's, and bytes: the less, the better.
Costs = tuple[float, float, float]


def size_of(outcome: search.Outcome, limits: search.Limits) -> int:
    """Returns the bytes that count.

    Raises:
        ValueError: If the outcome has no artifact.
    """
    size = outcome.gzip_bytes if limits.counts_gzip else outcome.size_bytes
    if size is None:
        raise ValueError(f"{outcome.name} has no size.")
    return size


def excess(
    limits: search.Limits,
    *,
    drop: float | None = None,
    latency_ms: float | None = None,
    size: float | None = None,
) -> dict[str, float]:
    """Returns by how much limits are broken, in units that can be added.

    Args:
        limits: The limits.
        drop: Loss of accuracy; None where it is not known.
        latency_ms: Median latency; likewise.
        size: Bytes that count; likewise.

    Returns:
        By name of the limit, all positive; empty if all that is known is
        within its limit.
    """
    found = {}
    if drop is not None:
        found["max_accuracy_drop"] = (
            drop - limits.max_accuracy_drop
        ) / _DROP_UNIT
    if latency_ms is not None and limits.max_latency_ms is not None:
        found["max_latency_ms"] = latency_ms / limits.max_latency_ms - 1
    if size is not None and limits.max_bytes is not None:
        found["max_bytes"] = size / limits.max_bytes - 1
    return {name: value for name, value in found.items() if value > 0}


def excess_of(
    outcome: search.Outcome, limits: search.Limits
) -> dict[str, float]:
    """Returns the same for an outcome; a stopped one knows it itself."""
    if outcome.status != "measured":
        return outcome.excess
    return excess(
        limits,
        drop=outcome.drop,
        latency_ms=outcome.latency_ms,
        size=size_of(outcome, limits),
    )


def costs(outcome: search.Outcome, limits: search.Limits) -> Costs:
    """Returns what an outcome costs.

    Raises:
        ValueError: If it was not measured.
    """
    if outcome.drop is None or not outcome.times_faster:
        raise ValueError(f"{outcome.name} was not measured.")
    return (
        outcome.drop,
        1 / outcome.times_faster,
        float(size_of(outcome, limits)),
    )


def front(costs_by_name: Mapping[str, Costs]) -> list[str]:
    """Returns the names that no other dominates, the first of equal ones."""
    first: dict[Costs, str] = {}
    for name, costs in costs_by_name.items():
        first.setdefault(costs, name)
    flags = recommendation.pareto_optimal(
        [(-drop, latency, size) for drop, latency, size in first]
    )
    return [
        name for name, flag in zip(first.values(), flags, strict=True) if flag
    ]


def dominating(costs: Costs, costs_by_name: Mapping[str, Costs]) -> str | None:
    """Returns the first name that is nowhere worse, if one is."""
    return next(
        (
            name
            for name, others in costs_by_name.items()
            if all(a <= b for a, b in zip(others, costs, strict=True))
        ),
        None,
    )


def hypervolume(
    points: Sequence[Sequence[float]], reference: Sequence[float]
) -> float:
    """Returns the volume that points dominate, up to a reference point.

    Args:
        points: The less, the better, all of the reference's length.
        reference: Points that are not better in each place count for nothing.

    References:
        Zitzler and Thiele, "Multiobjective optimization using evolutionary
        algorithms: a comparative case study", 1998.
    """
    inside = [
        tuple(point)
        for point in points
        if all(a < b for a, b in zip(point, reference, strict=True))
    ]
    if len(reference) == 1:
        return reference[0] - min((x[0] for x in inside), default=reference[0])
    # Slices along the last place, each of those that reach it.
    heights = sorted({point[-1] for point in inside})
    ends = [*heights, reference[-1]][1:]
    return sum(
        (end - height)
        * hypervolume(
            [point[:-1] for point in inside if point[-1] <= height],
            reference[:-1],
        )
        for height, end in zip(heights, ends, strict=True)
    )
