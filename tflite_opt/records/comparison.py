# SPDX-License-Identifier: Apache-2.0
"""A candidate beside a baseline: latency with a verdict, and the rest."""

import dataclasses
from typing import Literal

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, evaluation, serialization

Verdict = Literal["faster", "slower", "no difference", "inconclusive"]
Pairing = Literal["rounds", "none"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatencyRatio(serialization.Record):
    """Latency of the candidate as a multiple of the baseline's.

    Attributes:
        value: The typical ratio over launches; above 1 the candidate is
            slower.
        low: Lower bound of its 95 % interval; None with fewer than 4 launches
            of either.
        high: Upper bound.
        margin: Differences up to this fraction do not matter.
        verdict: `slower` if the whole interval lies above 1 + margin,
            `faster` if below 1 - margin, `no difference` if between, else
            `inconclusive`. Of several comparisons at once, Holm's correction
            widens the interval that `faster` and `slower` go by.
        p_value: Of the bound of the margin that is nearest to `value`; None
            without an interval.
        pairing: `rounds` if launches of both took turns, so that each round
            is a pair; `none` if they are two separate samples.
        num_launches: Of the one that has fewer.
        launches_needed: How many of each would decide it if value and spread
            held; None if it is decided, without an interval, or if a
            thousand would not do.
    """

    value: float
    low: float | None
    high: float | None
    margin: float
    verdict: Verdict
    p_value: float | None
    pairing: Pairing
    num_launches: int
    launches_needed: int | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantity(serialization.Record):
    """One number of both, shown without a verdict.

    Attributes:
        name: With its unit, e.g. `peak_memory_bytes`.
        baseline: None where it was not measured.
        candidate: None likewise.
    """

    name: str
    baseline: float | None
    candidate: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison(serialization.Record):
    """One candidate beside its baseline.

    Attributes:
        baseline: What was there before.
        candidate: What is judged.
        device: Where both were measured.
        options: How.
        runtime: With what.
        latency: The ratio.
        quantities: Size, memory and the other latencies.
        drop: Paired loss of the primary metric; None where they were not
            evaluated on the same examples.
        noise_floor: The largest difference that the baseline against itself
            leaves possible, a fraction; None if that was not measured.
        warnings: One sentence each.
    """

    baseline: artifact_record.Artifact
    candidate: artifact_record.Artifact
    device: benchmark.DeviceInfo
    options: benchmark.RuntimeOptions
    runtime: str
    latency: LatencyRatio
    quantities: tuple[Quantity, ...]
    drop: evaluation.MetricDrop | None = None
    noise_floor: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_worse(self) -> bool:
        """Whether it is slower, or loses more accuracy than allowed."""
        return self.latency.verdict == "slower" or (
            self.drop is not None and self.drop.verdict == "exceeded"
        )

    @property
    def is_inconclusive(self) -> bool:
        """Whether latency or accuracy could not be decided."""
        return self.latency.verdict == "inconclusive" or (
            self.drop is not None and self.drop.verdict == "not provable"
        )
