# SPDX-License-Identifier: Apache-2.0
"""What a search ends with, and why the others lost."""

from collections.abc import Sequence

from tflite_opt.records import report, search
from tflite_opt.search import limits as limits_lib

_LIMIT_WORDS = {
    "max_accuracy_drop": "loses more than the limit",
    "max_latency_ms": "is slower than the limit",
    "max_bytes": "is larger than the limit",
}


def choose(
    outcomes: Sequence[search.Outcome],
    limits: search.Limits,
    objective: report.Objective,
) -> search.SearchResult:
    """Returns the front within the limits, and what to ship.

    Args:
        outcomes: `float32` first.
        limits: What an artifact must keep.
        objective: What the recommended one makes small.
    """
    measured = [x for x in outcomes if x.status == "measured"]
    excess = {x.name: limits_lib.excess_of(x, limits) for x in measured}
    costs = {x.name: limits_lib.costs(x, limits) for x in measured}
    eligible = {name: costs[name] for name in costs if not excess[name]}
    front = limits_lib.front(eligible)
    lost = {}
    for outcome in outcomes:
        name = outcome.name
        if name in front:
            continue
        if outcome.status != "measured":
            lost[name] = outcome.reason
        elif excess[name]:
            lost[name] = _beyond(excess[name])
        else:
            better = limits_lib.dominating(
                costs[name], {x: costs[x] for x in front}
            )
            lost[name] = f"{better} is nowhere worse"
    nearest = min(
        measured, key=lambda x: sum(excess[x.name].values()), default=None
    )
    return search.SearchResult(
        front=tuple(front),
        chosen=min(
            front, key=lambda x: _weight(costs[x], objective), default=None
        ),
        nearest=None if front or nearest is None else nearest.name,
        lost=lost,
        num_trials=len(outcomes) - 1,
    )


def _weight(
    costs: limits_lib.Costs, objective: report.Objective
) -> tuple[float, float]:
    """Returns what the objective makes small, then the loss."""
    drop, latency, size = costs
    weighed = {"size": size, "latency": latency, "balanced": size * latency}
    return weighed[objective], drop


def _beyond(excess: dict[str, float]) -> str:
    return " and ".join(_LIMIT_WORDS[name] for name in excess)
