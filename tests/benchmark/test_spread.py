# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests import factories
from tflite_opt.benchmark import spread
from tflite_opt.records import machine


def test_launches_that_are_close_are_no_noise():
    launches = [factories.launch(median) for median in (1.0, 1.04, 1.08)]
    assert spread.noise_warnings(launches) == []


def test_noise_is_told_with_its_numbers():
    state = machine.MachineState(load_before=3.25, steal_fraction=0.02)
    launches = [
        factories.launch(median, state=state) for median in (1.0, 1.1, 1.32)
    ]
    (text,) = spread.noise_warnings(launches)
    assert "1 to 1.32 ms, a spread of 29%" in text
    assert "load average up to 3.2" in text
    assert "2.0% of the CPU time stolen" in text


def test_two_launches_do_not_tell_of_noise():
    assert not spread.noise_warnings(
        [factories.launch(1.0), factories.launch(2.0)]
    )


def test_warm_up_is_doubted_if_most_launches_were_not_steady():
    one = [factories.launch(1.0, is_steady=x) for x in (True, True, False)]
    two = [factories.launch(1.0, is_steady=x) for x in (True, False, False)]
    assert spread.warm_up_warnings(one) == []
    assert "2 of 3 launches" in spread.warm_up_warnings(two)[0]


def test_company_is_summarized_over_launches():
    launches = [
        factories.launch(1.0, throughput_per_s=rate) for rate in (10, 30, 20)
    ]
    samples = [np.arange(1, 101) * 1_000_000] * 3
    found = spread.concurrent_stats(launches, samples, 4)
    assert (found.num_interpreters, found.throughput_per_s) == (4, 20)
    assert found.p50_ms == pytest.approx(50.5)
    assert found.p95_ms == pytest.approx(95.0, abs=1)


def test_drift_has_windows_of_equal_duration():
    # 0.5 s at 1 ms, then 0.5 s at 2 ms.
    samples = np.repeat([1_000_000, 2_000_000], [500, 250])
    found = spread.drift(samples, 1.0)
    assert len(found) == 10
    assert found[0].median_ms == 1.0
    assert found[-1].median_ms == 2.0
    assert sum(window.num_samples for window in found) == 750
    assert found[-1].end_s == pytest.approx(1.0)


def test_pauses_are_part_of_the_time_of_a_soak():
    found = spread.drift(np.full(10, 1_000_000), duration_s=1.0)
    assert found[-1].end_s == pytest.approx(1.0)
    assert found[0].median_ms == 1.0
