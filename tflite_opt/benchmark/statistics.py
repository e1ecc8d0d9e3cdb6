# SPDX-License-Identifier: Apache-2.0
"""Statistics over the launches of one model; also for results from phones."""

from collections.abc import Sequence

import numpy as np

from tflite_opt.benchmark import bootstrap_t
from tflite_opt.records import benchmark

ALPHA = 0.05
_MIN_SAMPLES_FOR_P99 = 100


def latency_stats(
    launches_ns: Sequence[np.ndarray], *, seed: int
) -> benchmark.LatencyStats:
    """Summarizes raw samples of several launches.

    The interval is a bootstrap over launches, not over samples: inferences of
    one process share its memory layout and the machine's state, so that
    pooled samples claim a precision that does not exist.

    Args:
        launches_ns: One array of shape `(n,)` for each launch, nanoseconds.
        seed: Of the bootstrap.
    """
    medians = np.array([np.median(samples) for samples in launches_ns]) / 1e6
    pooled = np.concatenate(list(launches_ns)) / 1e6
    low, high = median_interval(medians, seed=seed)
    return benchmark.LatencyStats(
        median_ms=float(np.median(medians)),
        median_low_ms=low,
        median_high_ms=high,
        p90_ms=float(np.quantile(pooled, 0.9)),
        p99_ms=(
            float(np.quantile(pooled, 0.99))
            if len(pooled) >= _MIN_SAMPLES_FOR_P99
            else None
        ),
        min_ms=float(pooled.min()),
        throughput_per_s=float(1e3 / pooled.mean()),
        num_samples=len(pooled),
    )


def median_interval(
    medians: np.ndarray,
    *,
    seed: int,
    num_resamples: int = bootstrap_t.NUM_RESAMPLES,
) -> tuple[float | None, float | None]:
    """Returns the 95 % interval of the typical launch.

    Args:
        medians: Of each launch, shape `(n,)`, positive.
        seed: Of the bootstrap.
        num_resamples: Of the bootstrap.

    Returns:
        Bounds in the unit of `medians`; None with too few launches.
    """
    if len(medians) < bootstrap_t.MIN_LAUNCHES:
        return None, None
    location = bootstrap_t.one_sample(
        np.log(medians), seed=seed, num_resamples=num_resamples
    )
    width = location.half_width(ALPHA)
    if not np.isfinite(width):
        return None, None
    # The location is a trimmed mean; of skewed launches the median may be
    # outside of its interval, where no reader would look for it.
    middle = float(np.median(medians))
    low, high = np.exp([location.estimate - width, location.estimate + width])
    return min(float(low), middle), max(float(high), middle)
