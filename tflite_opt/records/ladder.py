# SPDX-License-Identifier: Apache-2.0
"""An automatic choice of a recipe: what was tried, in order, and why."""

import dataclasses
from typing import Any, Literal

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import errors, evaluation, serialization

TargetKind = Literal["metric drop", "agreement", "divergence", "snr_db"]
Outcome = Literal["taken", "left out", "failed"]
Verdict = Literal["met", "not provable", "missed"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target(serialization.Record):
    """When the ladder ends.

    Attributes:
        kind: What is looked at. `metric drop`: the upper bound of the paired
            loss of the primary metric on the validation split, by labels, or
            by the original's predictions where there are none. `agreement`:
            the lower bound of the share of predictions that are the
            original's, on the validation split. `divergence` and `snr_db`: of
            the outputs, on calibration examples that nothing was fitted to.
        limit: The largest drop or divergence, the least agreement or ratio.
    """

    kind: TargetKind = "metric drop"
    limit: float = 0.005

    def __post_init__(self) -> None:
        """Checks the limit.

        Raises:
            InputError: If it is out of its range.
        """
        super().__post_init__()
        is_fraction = self.kind in ("metric drop", "agreement")
        if self.limit < 0 or (is_fraction and self.limit > 1):
            raise errors.InputError(
                f"A target for the {self.kind} must be "
                f"{'a fraction in [0, 1]' if is_fraction else 'at least 0'}. "
                f"Received: limit={self.limit}."
            )

    def __str__(self) -> str:
        """One phrase."""
        match self.kind:
            case "metric drop":
                return f"a loss of at most {self.limit:.2%}"
            case "agreement":
                return f"an agreement of at least {self.limit:.2%}"
            case "divergence":
                return f"a divergence of at most {self.limit:.2g}"
        return f"a signal-to-noise ratio of at least {self.limit:g} dB"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rung(serialization.Record):
    """One recipe that was tried.

    Attributes:
        name: What it adds to those before.
        recipe: All that it does, in `Recipe.to_json`'s form.
        outcome: Whether the next rungs stand on it.
        reason: One sentence.
        seconds: To make and to judge it.
        artifact: What it gave; None if it failed.
        divergence: From the float model, on calibration examples that nothing
            was fitted to; None if it is not known.
        agreement: On the same examples; None likewise.
        snr_db: Of the outputs; None likewise.
        drop: On the validation split; None if it was not evaluated.
        validation_agreement: With the original model, on the validation
            split; None likewise.
        verdict: Whether it meets the target; None if it was not judged.
        median_ms: Latency; None if it was not measured.
    """

    name: str
    recipe: dict[str, Any]
    outcome: Outcome
    reason: str
    seconds: float
    artifact: artifact_record.Artifact | None = None
    divergence: float | None = None
    agreement: float | None = None
    snr_db: float | None = None
    drop: evaluation.MetricDrop | None = None
    validation_agreement: evaluation.Agreement | None = None
    verdict: Verdict | None = None
    median_ms: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ladder(serialization.Record):
    """What became of an automatic recipe.

    Attributes:
        name: Of the variant that it gave.
        target: When to stop.
        rungs: In order, the last one is where it ended.
        chosen: Name of the rung that became the variant.
        verdict: Whether that one meets the target.
        reason: One sentence.
    """

    name: str
    target: Target
    rungs: tuple[Rung, ...]
    chosen: str
    verdict: Verdict
    reason: str

    @property
    def chosen_rung(self) -> Rung:
        """The rung that became the variant."""
        return next(rung for rung in self.rungs if rung.name == self.chosen)
