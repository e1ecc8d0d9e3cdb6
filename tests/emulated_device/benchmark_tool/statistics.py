# SPDX-License-Identifier: Apache-2.0
"""Statistics of one phase, as the C++ tools compute and print them."""

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
