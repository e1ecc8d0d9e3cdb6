# SPDX-License-Identifier: Apache-2.0
import numpy as np

from tflite_opt.benchmark import warm_up


def _runs_until_steady(latencies):
    steadiness = warm_up.Steadiness()
    for count, latency in enumerate(latencies, 1):
        steadiness.add(latency)
        if steadiness.is_steady:
            return count
    return None


def test_a_constant_latency_is_steady_after_twenty_more_than_the_first():
    assert _runs_until_steady([5.0] * 100) == 5 + 20


def test_a_latency_that_falls_is_not_steady_before_it_has_fallen():
    falling = 1 + np.exp(-np.arange(1000) / 40)
    count = _runs_until_steady(falling)
    assert count > 100
    assert falling[count] < 1.1


def test_a_latency_that_keeps_rising_is_never_steady():
    assert _runs_until_steady(1.01 ** np.arange(300)) is None


def test_noise_and_rare_interruptions_are_no_trend():
    latencies = np.random.default_rng(0).normal(1, 0.01, 500)
    latencies[::50] = 30
    assert _runs_until_steady(latencies) < 100
