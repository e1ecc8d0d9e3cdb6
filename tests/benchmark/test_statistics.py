# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.benchmark import statistics


def _launches(medians_ms, num_samples=200, seed=0):
    random = np.random.default_rng(seed)
    return [
        (median * 1e6 * random.lognormal(0, 0.02, num_samples)).astype(np.int64)
        for median in medians_ms
    ]


def test_the_median_is_that_of_launch_medians_not_of_pooled_samples():
    # A long launch must not outvote two short ones.
    launches = [
        np.full(10, 1_000_000),
        np.full(10, 1_000_000),
        np.full(10_000, 5_000_000),
    ]
    stats = statistics.latency_stats(launches, seed=0)
    assert stats.median_ms == 1.0
    assert stats.num_samples == 10_020


def test_the_interval_sees_the_spread_between_launches():
    quiet = statistics.latency_stats(_launches([1.0] * 8), seed=0)
    drifting = statistics.latency_stats(
        _launches([1.0, 1.1, 1.2, 1.3, 1.0, 1.1, 1.2, 1.3]), seed=0
    )
    assert quiet.median_high_ms - quiet.median_low_ms < 0.02
    assert drifting.median_high_ms - drifting.median_low_ms > 0.1


def test_what_too_few_launches_cannot_say_is_absent():
    stats = statistics.latency_stats(_launches([1.0] * 3, 20), seed=0)
    assert stats.median_low_ms is None
    assert stats.median_high_ms is None
    assert stats.p99_ms is None


def test_throughput_is_that_of_the_mean():
    stats = statistics.latency_stats([np.array([1_000_000, 3_000_000])], seed=0)
    assert stats.throughput_per_s == pytest.approx(500)
    assert stats.min_ms == 1.0


def test_the_same_samples_and_seed_give_the_same_interval():
    launches = _launches([1.0, 1.1, 1.2, 1.3])
    first = statistics.latency_stats(launches, seed=3)
    assert statistics.latency_stats(launches, seed=3) == first


def test_a_single_slow_launch_does_not_stretch_the_interval():
    calm = [1.0, 1.01, 0.99, 1.0, 1.02, 0.98, 1.0, 1.01, 0.99]
    low, high = statistics.median_interval(np.array([*calm, 3.0]), seed=0)
    assert 0.97 < low < 1.0 < high < 1.05


def test_the_interval_holds_the_median_of_skewed_launches():
    random = np.random.default_rng(0)
    for _ in range(50):
        medians = np.exp(random.exponential(0.1, 10))
        low, high = statistics.median_interval(
            medians, seed=0, num_resamples=199
        )
        assert low <= np.median(medians) <= high
