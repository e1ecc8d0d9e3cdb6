# SPDX-License-Identifier: Apache-2.0
"""Statistics over launches of tools that print no samples."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tflite_opt.benchmark import statistics
from tflite_opt.records import benchmark, energy


def peak_memory_bytes(launches: Sequence[benchmark.Launch]) -> int | None:
    """Returns the largest peak; None where no launch knows its own."""
    known = [x.peak_memory_bytes for x in launches if x.peak_memory_bytes]
    return max(known, default=None)


def mean_energy(
    launches: Sequence[benchmark.Launch],
) -> energy.EnergyEstimate | None:
    """Returns the mean over launches; None where none knows its own."""
    known = [x.energy for x in launches if x.energy]
    if not known:
        return None
    return dataclasses.replace(
        known[0],
        energy_mj=float(np.mean([x.energy_mj for x in known])),
        power_mw=float(np.mean([x.power_mw for x in known])),
        idle_power_mw=float(np.mean([x.idle_power_mw for x in known])),
        duration_s=float(sum(x.duration_s for x in known)),
        num_samples=sum(x.num_samples for x in known),
    )


def latency_stats(
    launches: Sequence[benchmark.Launch], *, seed: int
) -> benchmark.LatencyStats:
    """Summarizes launches of a tool that prints statistics, not samples.

    Percentiles of launches cannot be made into one of all, so there are none;
    means and minima can.

    Args:
        launches: With a `summary` of at least one invocation each, of the
            same tool.
        seed: Of the bootstrap.
    """
    summaries = [x.summary for x in launches if x.summary]
    counts = np.array([x.count for x in summaries], float)
    averages = np.array([x.avg_ms for x in summaries], float)
    medians = np.array([x.median_ms for x in launches], float)
    median = low = high = None
    if not np.isnan(medians).any():
        median = float(np.median(medians))
        low, high = statistics.median_interval(medians, seed=seed)
    return benchmark.LatencyStats(
        median_ms=median,
        median_low_ms=low,
        median_high_ms=high,
        p90_ms=None,
        p99_ms=None,
        min_ms=min(x.min_ms for x in summaries if x.min_ms is not None),
        throughput_per_s=float(1e3 / np.average(averages, weights=counts)),
        num_samples=int(counts.sum()),
    )
