# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.benchmark import summaries
from tflite_opt.records import benchmark, tool_output


def _launch(median_ms, **fields):
    values = {
        "count": 50,
        "min_ms": 0.9,
        "avg_ms": 1.2,
        "median_ms": median_ms,
        "p95_ms": 1.5,
    }
    summary = tool_output.LatencySummary(**values | fields)
    return benchmark.Launch(
        source="benchmark_model",
        init_ms=1.0,
        first_inference_ms=2.0,
        warmup_runs=1,
        num_runs=summary.count,
        median_ms=median_ms,
        peak_memory_bytes=None,
        model_memory_bytes=None,
        partitions=None,
        started_at="",
        summary=summary,
    )


def test_the_median_is_that_of_launches_and_percentiles_are_absent():
    launches = [_launch(x) for x in (1.0, 1.1, 1.3, 1.0, 1.1)]
    stats = summaries.latency_stats(launches, seed=0)
    assert stats.median_ms == 1.1
    assert stats.median_low_ms <= 1.1 <= stats.median_high_ms
    assert stats.p90_ms is None
    assert stats.p99_ms is None
    assert stats.num_samples == 250


def test_means_count_by_how_many_inferences_they_are_of():
    launches = [
        _launch(1.0, count=10, avg_ms=1.0, min_ms=0.8),
        _launch(1.0, count=30, avg_ms=2.0, min_ms=0.7),
    ]
    stats = summaries.latency_stats(launches, seed=0)
    assert stats.throughput_per_s == pytest.approx(1e3 / 1.75)
    assert stats.min_ms == 0.7


def test_one_launch_without_a_median_leaves_none():
    launches = [_launch(1.0), _launch(None)]
    stats = summaries.latency_stats(launches, seed=0)
    assert stats.median_ms is None
    assert stats.median_low_ms is None
    assert stats.throughput_per_s == pytest.approx(1e3 / 1.2)


def test_the_peak_is_the_largest_that_is_known():
    launches = [_launch(1.0), _launch(1.0)]
    assert summaries.peak_memory_bytes(launches) is None
