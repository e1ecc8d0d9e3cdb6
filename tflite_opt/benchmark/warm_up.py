# SPDX-License-Identifier: Apache-2.0
"""When a latency has become steady.

A fast and a slow exponential moving average follow the latency; while it
falls, or the clock rises, they are apart.

References:
    AndroidX, `WarmupManager`.
    https://cs.android.com/androidx/platform/frameworks/support/+/androidx-main:benchmark/benchmark-common/src/main/java/androidx/benchmark/WarmupManager.kt
"""

import statistics

_FAST, _SLOW = 0.2, 0.02
_MAX_RATIO = 0.04
_CONSECUTIVE = 20
# An interrupted inference says nothing of the trend. One that takes longer
# than this many times the slow average counts as one that takes so long.
_MAX_OUTLIER = 1.5
# Both averages start from the median of so many, one of which may be an
# outlier, too.
_NUM_FIRST = 5


class Steadiness:
    """Judges latencies one by one."""

    def __init__(self) -> None:
        self._first: list[float] = []
        self._fast = self._slow = 0.0
        self._close = 0

    @property
    def is_steady(self) -> bool:
        """Whether both averages have been close for long enough."""
        return self._close >= _CONSECUTIVE

    def add(self, latency: float) -> None:
        """Takes the next latency, in any unit."""
        if len(self._first) < _NUM_FIRST:
            self._first.append(latency)
            self._fast = self._slow = statistics.median(self._first)
            return
        latency = min(latency, _MAX_OUTLIER * self._slow)
        self._fast += _FAST * (latency - self._fast)
        self._slow += _SLOW * (latency - self._slow)
        is_close = abs(self._fast / self._slow - 1) < _MAX_RATIO
        self._close = self._close + 1 if is_close else 0
