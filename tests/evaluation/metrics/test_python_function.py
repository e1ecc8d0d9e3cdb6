# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from tests.evaluation.metrics import tasks
from tflite_opt.evaluation.metrics import base
from tflite_opt.records import errors

_RANDOM = np.random.default_rng(0)
_LABELS = np.arange(60) % 4
_SCORES = _RANDOM.normal(size=(60, 4)) + 2 * np.eye(4)[_LABELS]
_ACCURACY = (_SCORES.argmax(axis=1) == _LABELS).mean()


def _metric(name):
    return base.named(f"python:tests.evaluation.metrics.users:{name}")


def test_one_float_is_computed_again_on_each_resample():
    metric = _metric("accuracy")
    kept = tasks.statistics(metric, _SCORES, _LABELS)
    assert (kept["output/y"] == _SCORES).all()
    found = metric.measure(kept)
    assert found.name == "python:tests.evaluation.metrics.users:accuracy"
    assert found.value == pytest.approx(_ACCURACY)
    assert found.low < found.value < found.high


def test_of_one_value_for_each_example_it_keeps_the_values():
    metric = _metric("rights")
    kept = tasks.statistics(metric, _SCORES, _LABELS)
    assert sorted(kept) == ["labels", "user_values"]
    found = metric.measure(kept)
    assert found.value == pytest.approx(_ACCURACY)
    assert found.low < found.value < found.high


def test_the_function_says_which_direction_is_better():
    better, worse = _metric("accuracy"), _metric("distance")
    assert (better.higher_is_better, worse.higher_is_better) == (True, False)
    before = tasks.statistics(worse, _SCORES, _LABELS)
    after = tasks.statistics(worse, -_SCORES, _LABELS)
    assert worse.loss(after, before).value > 0
    assert better.loss(after, before).value > 0


def test_labels_that_count_something_are_no_classes():
    metric = _metric("accuracy")
    counts = tasks.statistics(metric, _SCORES, np.arange(60))
    assert (metric.strata(counts) == 0).all()
    classes = tasks.statistics(metric, _SCORES, _LABELS)
    assert (metric.strata(classes) == _LABELS).all()


@pytest.mark.parametrize(
    ("name", "received"),
    [
        ("nothing", "Received: None"),
        ("too_many", "Received: shape=(3,)"),
        ("not_finite", "Received: nan"),
        ("not_all_finite", "Received: NaN or infinity among them"),
    ],
)
def test_what_it_returns_must_be_numbers(name, received):
    with pytest.raises(errors.InputError) as caught:
        tasks.statistics(_metric(name), _SCORES, _LABELS)
    assert f"users:{name} must return a finite float" in str(caught.value)
    assert received in str(caught.value)


def test_what_it_raises_is_theirs():
    with pytest.raises(errors.UserCodeError) as caught:
        tasks.statistics(_metric("broken"), _SCORES, _LABELS)
    assert "users:broken raised KeyError: 'a key of theirs'" in str(
        caught.value
    )
    text = caught.value.traceback_text
    assert "in broken" in text
    assert "user_code.py" not in text
