# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from tests.evaluation.metrics import tasks
from tflite_opt.evaluation.metrics import base, mean_iou
from tflite_opt.records import errors

_RANDOM = np.random.default_rng(0)
_LABELS = _RANDOM.integers(3, size=(20, 6, 5))
_SCORES = _RANDOM.normal(size=(20, 6, 5, 3)) + np.eye(3)[_LABELS]


def _measure(scores, labels):
    metric = mean_iou.MeanIou()
    return metric.measure(tasks.statistics(metric, scores, labels))


def test_it_is_the_jaccard_score_of_the_pixels():
    found = _measure(_SCORES, _LABELS)
    expected = sklearn_metrics.jaccard_score(
        _LABELS.reshape(-1), _SCORES.argmax(-1).reshape(-1), average="macro"
    )
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high


def test_it_keeps_counts_of_each_example():
    labels = np.array([[[0, 0, 1]], [[1, 1, 1]]])
    scores = np.eye(2)[np.array([[[0, 1, 1]], [[1, 1, 1]]])]
    kept = tasks.statistics(mean_iou.MeanIou(), scores, labels)
    assert kept["intersections"].tolist() == [[1, 1], [0, 3]]
    assert kept["unions"].tolist() == [[2, 2], [0, 3]]
    found = tasks.value(mean_iou.MeanIou(), kept)
    assert found == pytest.approx((1 / 2 + 4 / 5) / 2)


def test_a_class_that_never_occurs_does_not_count():
    wide = np.concatenate([_SCORES, np.full((20, 6, 5, 2), -9.0)], axis=-1)
    expected = _measure(_SCORES, _LABELS).value
    assert _measure(wide, _LABELS).value == pytest.approx(expected)


def test_void_pixels_do_not_count():
    labels = _LABELS.copy()
    labels[:, :3] = 255
    expected = _measure(_SCORES[:, 3:], _LABELS[:, 3:]).value
    assert _measure(_SCORES, labels).value == pytest.approx(expected)


def test_class_maps_ask_for_it():
    chosen = base.choose("auto", tasks.a_task(_SCORES, _LABELS))
    assert [metric.name for metric in chosen] == ["mean_iou"]


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (_SCORES, None, "class maps (n, h, w) as labels"),
        (_SCORES, _LABELS[:, 0, 0], "class maps (n, h, w) as labels"),
        (_SCORES[:, :3], _LABELS, "in the size of the labels"),
        (_SCORES[..., :1], _LABELS, "in the size of the labels"),
        (_SCORES, _LABELS + 5, "Received: "),
    ],
    ids=["none", "indices", "smaller", "one-class", "unknown-class"],
)
def test_refuses_what_is_no_segmentation(scores, labels, message):
    with pytest.raises(errors.InputError) as caught:
        base.choose("mean_iou", tasks.a_task(scores, labels))
    assert message in str(caught.value)
