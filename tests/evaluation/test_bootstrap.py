# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from scipy import stats

from tflite_opt.evaluation import bootstrap


def _mean_interval(values, num_resamples=2000):
    drawn = bootstrap.distribution(
        lambda counts: counts @ values / len(values),
        np.zeros(len(values)),
        num_resamples,
    )
    return bootstrap.interval(drawn)


def test_every_resample_keeps_the_size_of_each_stratum():
    strata = np.array([0, 1, 0, 0, 1, 2])

    def sizes(counts):
        return np.stack([counts[:, strata == s].sum(axis=1) for s in range(3)])

    found = bootstrap.distribution(sizes, strata, 50)
    assert found.shape == (3, 50)
    assert (found == [[3], [2], [1]]).all()


def test_it_is_that_of_scipy_within_its_noise():
    values = np.random.default_rng(1).exponential(size=150)
    expected = stats.bootstrap(
        (values,), np.mean, method="percentile", random_state=0
    ).confidence_interval
    width = expected.high - expected.low
    assert _mean_interval(values) == pytest.approx(
        tuple(expected), abs=0.05 * width
    )


def test_parts_of_any_size_give_the_same_numbers_of_resamples(monkeypatch):
    values = np.random.default_rng(0).normal(size=30)
    monkeypatch.setattr(bootstrap, "_MAX_COUNTS", 30 * 7)
    drawn = bootstrap.distribution(
        lambda counts: counts @ values, np.zeros(30), 50
    )
    assert drawn.shape == (50,)


def test_it_covers_the_truth_nearly_as_often_as_it_says():
    random = np.random.default_rng(2)
    covered = 0
    for _ in range(300):
        low, high = _mean_interval(random.exponential(size=100), 400)
        covered += low <= 1 <= high
    # Binomial noise of 300 trials is 1.3 %; skewness costs one or two.
    assert 0.90 <= covered / 300 <= 0.98
