# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from tflite_opt.benchmark import bootstrap_t


def test_the_estimate_leaves_out_a_tenth_at_each_end():
    values = np.array([-50.0, 1, 2, 3, 4, 5, 6, 7, 8, 100])
    found = bootstrap_t.one_sample(values, seed=0)
    assert found.estimate == 4.5
    # Winsorized to 1, 1, 2, ..., 8, 8: sum of squares about 4.5 is 66.5.
    expected = math.sqrt(66.5 / 9) * math.sqrt(10) / 8
    assert found.standard_error == pytest.approx(expected)


def test_few_values_are_not_trimmed():
    found = bootstrap_t.one_sample(np.array([1.0, 2, 3, 4, 10]), seed=0)
    assert found.estimate == 4.0
    assert found.standard_error == pytest.approx(math.sqrt(12.5 / 5))


def test_the_half_width_is_that_quantile_of_the_pivots():
    found = bootstrap_t.Location(
        estimate=1.0, standard_error=2.0, pivots=np.arange(1.0, 20.0)
    )
    # 19 resamples: the 19th of 20 ranks bounds 95 %.
    assert found.half_width(0.05) == 2.0 * 19
    assert found.half_width(0.5) == 2.0 * 10
    assert found.half_width(0.01) == math.inf


def test_the_p_value_is_where_the_interval_reaches_the_bound():
    found = bootstrap_t.Location(
        estimate=1.0, standard_error=2.0, pivots=np.arange(1.0, 20.0)
    )
    assert found.p_value(1.0) == 1.0
    assert found.p_value(1.0 + 2.0 * 18.5) == 2 / 20
    assert found.p_value(1.0 - 2.0 * 100) == 1 / 20


def test_equal_values_have_no_error_at_all():
    found = bootstrap_t.one_sample(np.full(10, 0.1), seed=0)
    assert found.standard_error == 0
    assert found.half_width(0.05) == 0
    assert found.p_value(0.1) == 1.0
    assert found.p_value(0.2) == 1 / 10_000


def test_a_plain_bootstrap_t_of_three_launches_has_no_bounds():
    # A ninth of the resamples are one launch three times.
    values = np.array([1.0, 2.0, 3.0])
    found = bootstrap_t.one_sample(values, seed=0, steadiness=0)
    assert found.half_width(0.05) == math.inf


def test_steadying_bounds_the_interval_of_few_launches():
    # Four near copies and one that is far away.
    values = np.array([1.0, 1.0001, 0.9999, 1.0002, 1.1])
    plain, steadied = (
        bootstrap_t.one_sample(values, seed=0, steadiness=x)
        for x in (0.0, bootstrap_t.STEADINESS)
    )
    assert plain.standard_error == steadied.standard_error
    assert plain.half_width(0.05) > 1
    assert steadied.half_width(0.05) < 0.1 * math.hypot(1, 4)


def test_two_samples_are_apart_by_the_difference_of_their_locations():
    random = np.random.default_rng(0)
    first, second = random.normal(1, 0.1, 10), random.normal(3, 0.1, 12)
    found = bootstrap_t.two_samples(first, second, seed=0)
    alone = [bootstrap_t.one_sample(x, seed=0) for x in (first, second)]
    assert found.estimate == pytest.approx(
        alone[1].estimate - alone[0].estimate
    )
    assert found.standard_error == pytest.approx(
        math.hypot(*(x.standard_error for x in alone))
    )


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(0).normal(0, 1, 10)
    first = bootstrap_t.one_sample(values, seed=3)
    again = bootstrap_t.one_sample(values, seed=3)
    assert first.half_width(0.05) == again.half_width(0.05)
    other = bootstrap_t.one_sample(values, seed=4)
    assert first.half_width(0.05) != other.half_width(0.05)


def test_one_wild_launch_does_not_widen_the_interval_without_bound():
    values = np.random.default_rng(0).normal(0, 0.01, 10)
    calm = bootstrap_t.one_sample(values, seed=0).half_width(0.05)
    values[3] = 5.0
    assert bootstrap_t.one_sample(values, seed=0).half_width(0.05) < 3 * calm


def test_the_truth_is_inside_in_about_95_of_100_experiments():
    random = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        found = bootstrap_t.one_sample(
            random.normal(0, 0.03, 10), seed=0, num_resamples=999
        )
        inside += abs(found.estimate) <= found.half_width(0.05)
    assert 0.92 <= inside / 400 <= 0.99
