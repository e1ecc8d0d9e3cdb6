# SPDX-License-Identifier: Apache-2.0
"""What is derived from samples beside latency: noise, drift, company."""

from collections.abc import Sequence

import numpy as np

from tflite_opt.records import benchmark

# Launches of the same model on a machine that is left alone are closer.
_MAX_SPREAD = 0.1
_MIN_LAUNCHES = 3
_NUM_WINDOWS = 60
_MIN_WINDOW_S = 0.1


def noise_warnings(launches: Sequence[benchmark.Launch]) -> list[str]:
    """Returns one sentence, with numbers, if launches are far apart."""
    medians = [x.median_ms for x in launches if x.median_ms is not None]
    if len(medians) < _MIN_LAUNCHES:
        return []
    low, high = min(medians), max(medians)
    spread = (high - low) / float(np.median(medians))
    if spread <= _MAX_SPREAD:
        return []
    states = [launch.state for launch in launches if launch.state]
    loads = [x.load_before for x in states if x.load_before is not None]
    steals = [x.steal_fraction for x in states if x.steal_fraction is not None]
    numbers = f"{low:.4g} to {high:.4g} ms, a spread of {spread:.0%}"
    if loads:
        numbers += f"; load average up to {max(loads):.1f}"
    if steals:
        numbers += f"; up to {max(steals):.1%} of the CPU time stolen"
    return [
        f"The machine is noisy: launch medians from {numbers}. Close other "
        "programs, or raise --launches."
    ]


def warm_up_warnings(launches: Sequence[benchmark.Launch]) -> list[str]:
    """Returns one sentence if most launches were not steady when timed."""
    unsteady = [launch for launch in launches if launch.is_steady is False]
    if 2 * len(unsteady) <= len(launches):
        return []
    return [
        f"Latency was not steady after warm-up in {len(unsteady)} of "
        f"{len(launches)} launches. Raise --warmup_max_secs."
    ]


def concurrent_stats(
    launches: Sequence[benchmark.Launch],
    samples_ns: Sequence[np.ndarray],
    num_interpreters: int,
) -> benchmark.ConcurrentStats:
    """Summarizes launches of several interpreters.

    Args:
        launches: With their throughput.
        samples_ns: Of each launch, shape `(n,)`.
        num_interpreters: In each launch.
    """
    pooled = np.concatenate(list(samples_ns)) / 1e6
    p50, p95, p99 = np.quantile(pooled, [0.5, 0.95, 0.99]).tolist()
    rates = [x.throughput_per_s for x in launches if x.throughput_per_s]
    return benchmark.ConcurrentStats(
        num_interpreters=num_interpreters,
        throughput_per_s=float(np.median(rates)),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
    )


def drift(
    samples_ns: np.ndarray, duration_s: float
) -> tuple[benchmark.DriftWindow, ...]:
    """Cuts a soak into windows of equal duration.

    Args:
        samples_ns: Of one launch, in order of time, shape `(n,)`.
        duration_s: Of all of them with what lies between, which is taken to
            be the same before each.

    Returns:
        At most 60; windows in which no inference ended are left out.
    """
    samples_s = samples_ns / 1e9
    between_s = (duration_s - samples_s.sum()) / len(samples_s)
    ends_s = np.cumsum(samples_s + between_s)
    total = float(ends_s[-1])
    count = max(1, min(_NUM_WINDOWS, int(total / _MIN_WINDOW_S)))
    bounds = np.linspace(0, total, count + 1)
    cuts = np.searchsorted(ends_s, bounds, side="right")
    cuts[-1] = len(samples_ns)
    windows = []
    for i in range(count):
        part = samples_ns[cuts[i] : cuts[i + 1]] / 1e6
        if len(part):
            windows.append(
                benchmark.DriftWindow(
                    start_s=float(bounds[i]),
                    end_s=float(bounds[i + 1]),
                    median_ms=float(np.median(part)),
                    p95_ms=float(np.quantile(part, 0.95)),
                    num_samples=len(part),
                )
            )
    return tuple(windows)
