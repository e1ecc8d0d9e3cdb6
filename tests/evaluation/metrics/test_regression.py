# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from tests.evaluation.metrics import tasks
from tflite_opt.evaluation.metrics import base, regression
from tflite_opt.records import errors

_RANDOM = np.random.default_rng(0)
_LABELS = _RANDOM.normal(size=(50, 3)).astype(np.float32)
_OUTPUT = _LABELS + _RANDOM.normal(size=(50, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("metric", "reference"),
    [
        (
            regression.MeanAbsoluteError(),
            sklearn_metrics.mean_absolute_error,
        ),
        (regression.MeanSquaredError(), sklearn_metrics.mean_squared_error),
    ],
    ids=["mae", "mse"],
)
def test_it_is_that_of_scikit_learn(metric, reference):
    found = metric.measure(tasks.statistics(metric, _OUTPUT, _LABELS))
    assert found.value == pytest.approx(reference(_LABELS, _OUTPUT))
    assert found.low < found.value < found.high
    assert not found.higher_is_better
    assert not found.is_fraction


def test_values_ask_for_both_errors():
    chosen = base.choose("auto", tasks.a_task(_OUTPUT, _LABELS))
    assert [metric.name for metric in chosen] == ["mae", "mse"]


@pytest.mark.parametrize("shape", [(50,), (50, 1)])
def test_one_column_is_one_value(shape):
    labels = _LABELS[:, 0].reshape(shape)
    metric, *_ = base.choose("mae", tasks.a_task(_OUTPUT[:, :1], labels))
    kept = tasks.statistics(metric, _OUTPUT[:, :1], labels)
    expected = np.abs(_OUTPUT[:, 0] - _LABELS[:, 0])
    assert kept["absolute_error"] == pytest.approx(expected)


def test_a_loss_is_relative_to_the_error_of_the_baseline():
    metric = regression.MeanAbsoluteError()
    before = {"absolute_error": np.array([1.0, 2.0, 3.0, 2.0])}
    after = {"absolute_error": 1.01 * before["absolute_error"]}
    loss = metric.loss(after, before)
    assert loss.unit == "relative"
    assert loss.value == pytest.approx(0.01)
    # Every example got worse by the same part, so nothing is left to chance.
    assert (loss.low, loss.high) == pytest.approx((0.01, 0.01))
    assert metric.loss(before, after).value == pytest.approx(-0.01 / 1.01)


def test_a_loss_against_no_error_is_in_the_unit_of_the_metric():
    zeros = {"absolute_error": np.zeros(20)}
    loss = regression.MeanAbsoluteError().loss(
        {"absolute_error": np.full(20, 0.5)}, zeros
    )
    assert (loss.unit, loss.value, loss.low, loss.high) == ("metric",) + (
        (0.5,) * 3
    )


@pytest.mark.parametrize("labels", [None, _LABELS[:, :2]], ids=["none", "two"])
def test_refuses_labels_of_another_shape(labels):
    with pytest.raises(errors.DataError, match="shaped like the first output"):
        base.choose("mse", tasks.a_task(_OUTPUT, labels))


def test_outputs_that_are_not_finite_have_no_error():
    output = _OUTPUT.copy()
    output[3, 1] = np.inf
    metric = regression.MeanSquaredError()
    kept = tasks.statistics(metric, output, _LABELS)
    with pytest.raises(errors.ModelError, match="must be a finite number"):
        metric.measure(kept)
