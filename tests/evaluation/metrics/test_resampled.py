# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.evaluation.metrics import regression


def _kept(values):
    return {"absolute_error": np.asarray(values, np.float64)}


_METRIC = regression.MeanAbsoluteError()


def test_the_same_errors_lose_nothing_for_sure():
    kept = _kept([1, 2, 3, 9])
    loss = _METRIC.loss(kept, kept)
    assert (loss.value, loss.low, loss.high) == (0, 0, 0)
    assert loss.only_baseline_correct is None


def test_pairing_makes_the_interval_narrower_than_that_of_the_metric():
    random = np.random.default_rng(0)
    before = random.exponential(size=300)
    after = before + random.normal(0.01, 0.01, 300)
    loss = _METRIC.loss(_kept(after), _kept(before))
    metric = _METRIC.measure(_kept(before))
    assert loss.low < loss.value < loss.high
    assert loss.high - loss.low < (metric.high - metric.low) / 5


def test_a_paired_interval_covers_the_true_loss_nearly_as_often_as_it_says(
    monkeypatch,
):
    monkeypatch.setattr(
        regression.MeanAbsoluteError, "num_resamples", lambda self, kept: 400
    )
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        before = random.exponential(size=80)
        after = before * random.uniform(0.9, 1.2, 80)
        loss = _METRIC.loss(_kept(after), _kept(before))
        covered += loss.low <= 0.05 <= loss.high
    assert 0.89 <= covered / 200 <= 0.99


def test_the_interval_is_the_same_each_time():
    kept = _kept(np.random.default_rng(0).normal(size=50))
    assert _METRIC.measure(kept) == _METRIC.measure(kept)


def test_a_baseline_without_an_error_in_a_resample_is_no_divisor():
    before = np.zeros(10)
    before[0] = 1.0
    loss = _METRIC.loss(_kept(before + 1), _kept(before))
    assert loss.unit == "metric"
    assert loss.value == pytest.approx(1)
