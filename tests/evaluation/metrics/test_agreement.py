# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.evaluation.metrics import tasks
from tflite_opt.evaluation.metrics import agreement, base
from tflite_opt.evaluation.metrics import task as task_lib
from tflite_opt.records import errors

_SCORES = np.eye(4)[[0, 1, 2, 3, 3]]


def test_it_counts_the_same_predictions():
    metric = agreement.Agreement()
    original = np.eye(4)[[0, 1, 2, 2, 3]] / 2
    kept = tasks.statistics(metric, _SCORES, original=original)
    found = metric.measure(kept)
    assert found.value == 0.8
    assert found.method == "wilson"


def test_the_relative_error_counts_every_output_the_same():
    metric = agreement.RelativeError()
    originals = {"a": np.array([[2.0, 2.0]]), "b": np.array([100.0])}
    outputs = {"a": np.array([[2.0, 3.0]]), "b": np.array([90.0])}
    batch = task_lib.Batch(
        inputs={}, outputs=outputs, labels=None, originals=originals
    )
    found = metric.measure(metric.statistics(batch))
    # Of a the mean square is 1/2 of 4, of b 100 of 10,000.
    assert found.value == pytest.approx(np.sqrt((1 / 8 + 1 / 100) / 2))
    assert not found.higher_is_better
    assert found.is_fraction


def test_an_output_of_zeros_has_no_error_while_it_stays_zero():
    metric = agreement.RelativeError()
    zeros = np.zeros((3, 1))
    kept = tasks.statistics(metric, zeros, original=zeros)
    assert tasks.value(metric, kept) == 0
    kept = tasks.statistics(metric, zeros + 1, original=zeros)
    with pytest.raises(errors.ModelError, match="relative_error must be"):
        metric.measure(kept)


def test_a_relative_error_is_lost_in_its_own_points():
    metric, original = agreement.RelativeError(), np.ones((9, 3))
    before, after = (
        tasks.statistics(metric, original * factor, original=original)
        for factor in (1.001, 1.02)
    )
    loss = metric.loss(after, before)
    assert loss.unit == "fraction"
    assert loss.value == pytest.approx(0.019)


@pytest.mark.parametrize(
    ("output", "name"),
    [
        (_SCORES, "agreement"),
        (np.zeros((5, 1)), "relative_error"),
        (np.zeros((5, 8, 8, 1)), "relative_error"),
        (np.zeros((5, 8, 8, 3)), "relative_error"),
    ],
    ids=["scores", "value", "reconstruction", "image"],
)
def test_data_without_labels_ask_for_it(output, name):
    task = tasks.a_task(output, None, originals=output)
    assert [metric.name for metric in base.choose("auto", task)] == [name]


def test_it_needs_the_outputs_of_the_original():
    with pytest.raises(errors.DataError, match="--original_outputs"):
        base.choose("auto", tasks.a_task(_SCORES, None))
