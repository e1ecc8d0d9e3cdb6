# SPDX-License-Identifier: Apache-2.0
import itertools
import math

import numpy as np
import pytest
from scipy import optimize, stats

from tflite_opt import intervals


def test_wilson_matches_its_formula():
    n, k, z = 450, 441, stats.norm.ppf(0.975)
    p = k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = (
        z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    )
    assert intervals.wilson(k, n) == pytest.approx(
        (centre - half, centre + half)
    )


def test_clopper_pearson_leaves_a_fortieth_in_each_tail():
    low, high = intervals.clopper_pearson(0, 300)
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 300))
    low, high = intervals.clopper_pearson(7, 50)
    assert stats.binom.sf(6, 50, low) == pytest.approx(0.025)
    assert stats.binom.cdf(7, 50, high) == pytest.approx(0.025)


def test_auc_is_the_share_of_pairs_in_order():
    scores = np.array([0.1, 0.4, 0.4, 0.8, 0.2])
    labels = np.array([0, 1, 0, 1, 0])
    metric = intervals.auc("auc", scores, labels)
    assert metric.value == pytest.approx(5.5 / 6)
    assert 0 < metric.low < metric.value < metric.high < 1
    assert metric.higher_is_better


@pytest.mark.parametrize("sign", [1, -1])
def test_a_perfect_auc_keeps_an_interval(sign):
    scores = sign * np.arange(20.0)
    metric = intervals.auc("auc", scores, np.arange(20) // 10)
    if sign > 0:
        assert metric.value == metric.high == 1
        assert 0.6 < metric.low < 0.9
    else:
        assert metric.value == metric.low == 0
        assert 0.1 < metric.high < 0.4


def test_auc_bounds_are_one_critical_value_away():
    generator = np.random.default_rng(0)
    labels = np.arange(100) % 2
    metric = intervals.auc("auc", generator.normal(labels, 1), labels)
    for bound in (metric.low, metric.high):
        # Hanley and McNeil's variance of an area estimated from 50 of each.
        q1, q2 = bound / (2 - bound), 2 * bound**2 / (1 + bound)
        pairwise = q1 + q2 - 2 * bound**2
        variance = (bound * (1 - bound) + 49 * pairwise) / 2500
        distance = abs(metric.value - bound) / math.sqrt(variance)
        assert distance == pytest.approx(1.96, abs=0.001)


def _score(only_first, only_second, pairs, difference):
    """The score statistic with its nuisance maximized numerically."""

    def negative_log_likelihood(second):
        first = second + difference
        rest = 1 - first - second
        terms = ((only_first, first), (only_second, second))
        terms += ((pairs - only_first - only_second, rest),)
        if min(first, second, rest) < 0:
            return 1e9
        return -sum(k * math.log(max(p, 1e-300)) for k, p in terms if k)

    low = max(0.0, -difference)
    high = (1 - difference) / 2
    second = optimize.minimize_scalar(
        negative_log_likelihood,
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-12},
    ).x
    variance = pairs * (2 * second + difference - difference**2)
    return (only_first - only_second - pairs * difference) / math.sqrt(variance)


@pytest.mark.parametrize(
    ("only_first", "only_second", "pairs"),
    [(5, 3, 450), (12, 1, 100), (0, 7, 90), (30, 30, 100), (1, 0, 32)],
)
def test_paired_bounds_are_where_the_score_test_starts_to_reject(
    only_first, only_second, pairs
):
    low, high = intervals.paired_difference(only_first, only_second, pairs)
    at_low = _score(only_first, only_second, pairs, low)
    at_high = _score(only_first, only_second, pairs, high)
    assert at_low == pytest.approx(1.95996, abs=2e-3)
    assert at_high == pytest.approx(-1.95996, abs=2e-3)


def test_paired_interval_covers_the_truth_about_as_often_as_it_says():
    pairs, first, second = 300, 0.03, 0.02
    random = np.random.default_rng(7)
    draws = random.multinomial(pairs, [first, second, 1 - first - second], 2000)
    cache = {}
    covered = 0
    for a, b, _ in draws:
        if (a, b) not in cache:
            cache[a, b] = intervals.paired_difference(a, b, pairs)
        low, high = cache[a, b]
        covered += low <= first - second <= high
    assert 0.93 <= covered / len(draws) <= 0.97


def test_no_disagreement_on_few_examples_proves_little():
    low, high = intervals.paired_difference(0, 0, 450)
    assert (low, high) == pytest.approx((-0.00846, 0.00846), abs=1e-5)


def test_exchanging_the_models_mirrors_the_interval():
    low, high = intervals.paired_difference(9, 2, 77)
    assert intervals.paired_difference(2, 9, 77) == pytest.approx((-high, -low))


@pytest.mark.parametrize(
    ("only_first", "only_second", "pairs", "limit"),
    [(0, 0, 450, 0.005), (2, 3, 450, 0.005), (9, 2, 450, 0.005)],
)
def test_pairs_needed_is_the_least_number_that_decides(
    only_first, only_second, pairs, limit
):
    needed = intervals.pairs_needed(only_first, only_second, pairs, limit)

    def decided(number):
        factor = number / pairs
        low, high = intervals.paired_difference(
            only_first * factor, only_second * factor, number
        )
        return high <= limit or low > limit

    assert decided(needed)
    assert not decided(needed - 2)


def test_no_number_of_pairs_decides_when_the_estimate_is_the_limit():
    assert intervals.pairs_needed(2, 1, 200, 0.005) is None


def test_bounds_stay_in_range_at_the_corners():
    for first, second in itertools.product((0, 10), (0, 10)):
        if first + second > 10:
            continue
        low, high = intervals.paired_difference(first, second, 10)
        assert -1 <= low <= high <= 1
