# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from tests.evaluation.metrics import tasks
from tflite_opt import intervals
from tflite_opt.evaluation.metrics import base, top_k
from tflite_opt.records import errors

_RANDOM = np.random.default_rng(0)
_SCORES = _RANDOM.normal(size=(200, 10))
_LABELS = _RANDOM.integers(10, size=200)


def test_both_are_those_of_scikit_learn():
    for metric, k in ((top_k.Top1(), 1), (top_k.Top5(), 5)):
        kept = tasks.statistics(metric, _SCORES, _LABELS)
        found = metric.measure(kept)
        expected = sklearn_metrics.top_k_accuracy_score(_LABELS, _SCORES, k=k)
        assert found.value == pytest.approx(expected)
        bounds = intervals.wilson(round(200 * expected), 200)
        assert (found.low, found.high) == bounds
        assert found.method == "wilson"


def test_ties_go_to_the_lower_class():
    labels = np.array([0, 4, 5])
    scores = np.zeros((3, 7))
    kept = tasks.statistics(top_k.Top5(), scores, labels)
    assert kept["in_top5"].tolist() == [True, True, False]
    kept = tasks.statistics(top_k.Top1(), scores, labels)
    assert kept["predictions"].tolist() == [0, 0, 0]


def test_the_loss_counts_who_is_right_alone():
    metric, labels = top_k.Top1(), np.zeros(4, np.int64)
    before = {"labels": labels, "predictions": np.array([0, 0, 0, 1])}
    after = {"labels": labels, "predictions": np.array([0, 1, 1, 0])}
    loss = metric.loss(after, before)
    assert (loss.only_baseline_correct, loss.only_candidate_correct) == (2, 1)
    assert loss.value == 0.25
    assert (loss.low, loss.high) == intervals.paired_difference(2, 1, 4)


def test_top5_comes_along_with_more_than_five_classes():
    wide = base.choose("auto", tasks.a_task(_SCORES, _LABELS))
    narrow = base.choose("auto", tasks.a_task(_SCORES[:, :5], _LABELS % 5))
    assert [metric.name for metric in wide] == ["top1", "top5"]
    assert [metric.name for metric in narrow] == ["top1"]


def test_a_renaming_of_the_classes_changes_nothing():
    order = _RANDOM.permutation(10)
    kept = tasks.statistics(
        top_k.Top1(), _SCORES[:, order], np.argsort(order)[_LABELS]
    )
    before = tasks.statistics(top_k.Top1(), _SCORES, _LABELS)
    assert tasks.value(top_k.Top1(), kept) == tasks.value(top_k.Top1(), before)


@pytest.mark.parametrize(
    ("output", "labels", "message"),
    [
        (_SCORES, None, "top1 needs class indices as labels"),
        (_SCORES, np.zeros((200, 3)), "top1 needs class indices as labels"),
        (_SCORES[:, :1], _LABELS, "first output of shape (n, classes)"),
        (_SCORES, _LABELS + 3, "labels from 3 to 12, classes=10"),
        (_SCORES, _LABELS - 1, "labels from -1 to 8, classes=10"),
    ],
    ids=["none", "values", "one-column", "too-high", "negative"],
)
def test_refuses_what_is_no_classification(output, labels, message):
    with pytest.raises(errors.InputError) as caught:
        base.choose("top1", tasks.a_task(output, labels))
    assert message in str(caught.value)
