# SPDX-License-Identifier: Apache-2.0
"""Statistics of one phase, as the C++ tools compute and print them."""

import dataclasses
import statistics
from collections.abc import Sequence


class Statistics:
    """Statistics over durations.

    Args:
        times_us: In the order of the runs; at least one.
    """

    def __init__(self, times_us: Sequence[int]) -> None:
        ordered = sorted(times_us)
        self.count = len(ordered)
        self.first, self.current = times_us[0], times_us[-1]
        self.min, self.max = ordered[0], ordered[-1]
        self.avg = statistics.fmean(ordered)
        self.std = int(statistics.pstdev(ordered))
        self.p5, self.median, self.p95 = (
            ordered[self.count * percent // 100] for percent in (5, 50, 95)
        )

    def text(self, *, has_percentiles: bool) -> str:
        """Returns the line `count=...`."""
        text = f"count={self.count}"
        if self.min == self.max:
            text += f" curr={self.current}"
            text += "(all same)" if self.count > 1 else ""
        else:
            text += (
                f" first={self.first} curr={self.current} min={self.min} "
                f"max={self.max} avg={self.avg:g} std={self.std}"
            )
        if has_percentiles:
            text += f" p5={self.p5} median={self.median} p95={self.p95}"
        return text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything that one launch measured.

    Attributes:
        name: Of the benchmark.
        signature: That was run.
        init_us: Of loading.
        warmup: Of the first phase.
        timed: Of the second.
        init_kb: Growth of the memory until the model is ready.
        overall_kb: Until the end.
        peak_mb: None where the monitor was off.
        size_mb: Of the model.
        input_bytes: Of one inference.
    """

    name: str
    signature: str
    init_us: int
    warmup: Statistics
    timed: Statistics
    init_kb: int
    overall_kb: int
    peak_mb: float | None
    size_mb: float
    input_bytes: int
