# SPDX-License-Identifier: Apache-2.0
"""Mixed precisions of one model, from the smallest to the most accurate."""

import dataclasses
from typing import Any

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import errors, evaluation, sensitivity, serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrecisionBudget(serialization.Record):
    """What a mixed precision must keep to; None where it does not matter.

    Attributes:
        max_bytes: Of the file.
        max_ms: Median latency.
        max_accuracy_drop: Estimated loss of the primary metric on the
            validation split, against float32.
    """

    max_bytes: int | None = None
    max_ms: float | None = None
    max_accuracy_drop: float | None = None

    def __post_init__(self) -> None:
        """Checks the limits.

        Raises:
            InputError: If none is given, or one is not positive.
        """
        super().__post_init__()
        limits = (self.max_bytes, self.max_ms, self.max_accuracy_drop)
        given = [limit for limit in limits if limit is not None]
        if not given or min(given) < 0:
            raise errors.InputError(
                "A mixed precision needs a budget: --max_bytes, "
                "--max_latency_ms or --max_accuracy_drop, at least 0. "
                f"Received: {', '.join(map(str, given)) or 'none'}."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrecisionPoint(serialization.Record):
    """One choice of precisions, measured.

    Attributes:
        recipe: In `Recipe.to_json`'s form.
        artifact: What it gave.
        expected_divergence: By the scan, before corrections.
        expected_bytes: By the scan.
        divergence: On calibration examples that nothing was fitted to.
        agreement: On the same examples; None if nothing is predicted.
        drop: On the validation split.
        partitions: Delegate nodes; None if that is not known.
        median_ms: None if it was not measured.
        is_optimal: Whether no other point is smaller and closer to float.
    """

    recipe: dict[str, Any]
    artifact: artifact_record.Artifact
    expected_divergence: float
    expected_bytes: int
    divergence: float
    agreement: float | None
    drop: evaluation.MetricDrop | None
    partitions: int | None
    median_ms: float | None
    is_optimal: bool

    def excess(self, budget: PrecisionBudget) -> float:
        """Returns by which factor the tightest limit is exceeded.

        At most 1.0 if the budget is kept; infinite where a limit is for
        something that was not measured, or for a loss of nothing.
        """
        ratios = [0.0]
        for found, limit in (
            (self.artifact.size_bytes, budget.max_bytes),
            (self.median_ms, budget.max_ms),
            (
                max(self.drop.value, 0.0) if self.drop else None,
                budget.max_accuracy_drop,
            ),
        ):
            if limit is None:
                continue
            if found is None:
                return float("inf")
            ratios.append(
                found / limit if limit else float("inf") if found else 0.0
            )
        return max(ratios)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrecisionFront(serialization.Record):
    """All choices that were made.

    Attributes:
        sensitivity: What the choice was based on.
        points: By size.
    """

    sensitivity: sensitivity.Sensitivity
    points: tuple[PrecisionPoint, ...]

    def best(self, budget: PrecisionBudget) -> PrecisionPoint:
        """Returns the point that keeps a budget best.

        With a limit for the accuracy the smallest file, else the one closest
        to the float model.

        Raises:
            InputError: If none does, with the nearest one.
        """
        kept = [x for x in self.points if x.excess(budget) <= 1]
        if not kept:
            nearest = min(self.points, key=lambda x: x.excess(budget))
            loss = (
                f", a loss of {nearest.drop.value:.2%}" if nearest.drop else ""
            )
            speed = f", {nearest.median_ms:.3f} ms" if nearest.median_ms else ""
            raise errors.InputError(
                "No mixed precision keeps the budget. Received: max_bytes="
                f"{budget.max_bytes}, max_latency_ms={budget.max_ms}, "
                f"max_accuracy_drop={budget.max_accuracy_drop}. The nearest is "
                f"{nearest.artifact.name}: {nearest.artifact.size_bytes:,} "
                f"bytes{speed}{loss}. Relax that limit."
            )
        if budget.max_accuracy_drop is not None:
            return min(kept, key=lambda x: x.artifact.size_bytes)
        return min(kept, key=lambda x: x.divergence)
