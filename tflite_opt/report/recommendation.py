# SPDX-License-Identifier: Apache-2.0
"""Which variant to ship under the user's limit on the loss.

Looks at the validation split only; the test split is evaluated after the
choice is written down.
"""

import dataclasses
from collections.abc import Collection, Sequence

from tflite_opt.records import benchmark, errors, evaluation, report

# Variants this close in the objective are told apart by their loss: the rest
# is measurement noise.
_TIE = 0.03


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """A variant with its evidence.

    Attributes:
        evaluation: On the validation split.
        result: Its benchmark.
    """

    evaluation: evaluation.Evaluation
    result: benchmark.BenchmarkResult

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.evaluation.artifact.name

    @property
    def loss(self) -> float:
        """Loss of the primary metric against float32; 0 for float32."""
        drop = self.evaluation.drop
        return drop.value if drop else 0.0


def recommend(
    candidates: Sequence[Candidate],
    *,
    objective: report.Objective,
    max_accuracy_drop: float,
    allowed: Collection[str] | None = None,
) -> report.Recommendation:
    """Chooses the best variant that is not known to break the limit.

    Eligible is a variant whose estimated loss on the validation split is at
    most the limit. Among those the objective decides: size, latency, or the
    product of both ratios.

    Args:
        candidates: `float32` first.
        objective: What to make small.
        max_accuracy_drop: The limit, a fraction.
        allowed: Names of those that keep what else is asked for, one at least
            within the limit; None for all.

    Raises:
        InputError: If there is no float32 variant to compare with, or the
            latencies have no medians.
    """
    if not candidates or candidates[0].name != "float32":
        raise errors.InputError(
            "A recommendation needs the float32 variant. Received: "
            f"{', '.join(c.name for c in candidates) or 'no variant'}."
        )
    baseline = candidates[0]
    eligible = [
        c
        for c in candidates
        if c.loss <= max_accuracy_drop
        and (allowed is None or c.name in allowed)
    ]
    costs = {c.name: _cost(c, baseline, objective) for c in eligible}
    least = min(costs.values())
    tied = [c for c in eligible if costs[c.name] <= least * (1 + _TIE)]
    best = min(tied, key=lambda c: (c.loss, costs[c.name]))
    return report.Recommendation(
        name=best.name,
        objective=objective,
        max_accuracy_drop=max_accuracy_drop,
        drop=best.evaluation.drop,
        reason=_reason(
            best, baseline, sum(c.loss > max_accuracy_drop for c in candidates)
        ),
        is_slower=is_slower(best.result, baseline.result),
    )


def _cost(
    candidate: Candidate, baseline: Candidate, objective: report.Objective
) -> float:
    size = (
        candidate.result.artifact.size_bytes
        / baseline.result.artifact.size_bytes
    )
    latency = candidate.result.median_ms / baseline.result.median_ms
    return {"size": size, "latency": latency, "balanced": size * latency}[
        objective
    ]


def is_slower(
    result: benchmark.BenchmarkResult, baseline: benchmark.BenchmarkResult
) -> bool:
    """Whether the latency interval lies wholly above the baseline's."""
    low = result.latency.median_low_ms or result.median_ms
    high = baseline.latency.median_high_ms or baseline.median_ms
    return low > high


def _reason(best: Candidate, baseline: Candidate, num_excluded: int) -> str:
    smaller = (
        baseline.result.artifact.size_bytes / best.result.artifact.size_bytes
    )
    faster = baseline.result.median_ms / best.result.median_ms
    parts = [
        f"{smaller:.2f}x smaller and {faster:.2f}x the speed of float32"
        if best.name != "float32"
        else "No other variant within the limit is better"
    ]
    if is_slower(best.result, baseline.result):
        parts.append("SLOWER than float32 on this device")
    if num_excluded:
        noun = "variant" if num_excluded == 1 else "variants"
        parts.append(f"{num_excluded} {noun} lost more than the limit")
    return "; ".join(parts) + "."


def pareto_optimal(
    points: Sequence[tuple[float, float, float]],
) -> list[bool]:
    """Marks the points that no other point dominates.

    Args:
        points: Quality (higher is better), latency and size (lower are).

    Returns:
        True where no other point is at least as good in all three and better
        in one.
    """
    keys = [(-quality, latency, size) for quality, latency, size in points]
    return [
        not any(
            other != key
            and all(a <= b for a, b in zip(other, key, strict=True))
            for other in keys
        )
        for key in keys
    ]
