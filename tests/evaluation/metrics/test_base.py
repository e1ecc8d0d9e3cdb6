# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.evaluation.metrics import tasks
from tflite_opt.evaluation.metrics import base
from tflite_opt.records import errors

_CLASSES = np.arange(6) % 6


def test_an_unknown_metric_is_refused_with_those_there_are():
    with pytest.raises(errors.InputError) as caught:
        base.named("top2")
    for name in ("auto", "top1", "auc", "mean_iou", "python", "'top2'"):
        assert name in str(caught.value)


def test_only_some_metrics_take_an_argument():
    with pytest.raises(errors.InputError, match="'top1' takes no argument"):
        base.named("top1:5")


@pytest.mark.parametrize("output", [(7,), (1,), (), (8, 8, 1), (8, 8, 3)])
@pytest.mark.parametrize(
    "labels",
    [
        None,
        np.arange(6) % 2,
        _CLASSES,
        np.zeros((6, 8, 8), np.int64),
        np.zeros((6, 7), np.float32),
    ],
    ids=["none", "binary", "classes", "maps", "values"],
)
def test_at_most_one_metric_is_the_natural_one(output, labels):
    task = tasks.a_task(np.zeros((6, *output)), labels)
    natural = [
        name
        for name, metric in base._REGISTRY.items()
        if metric.is_natural(task)
    ]
    assert len(natural) <= 1


@pytest.mark.parametrize(
    ("output", "labels"),
    [
        ((4, 4, 2), _CLASSES),
        ((7,), np.zeros((6, 9), np.int64)),
        ((7,), np.zeros((6, 9, 5), np.float32)),
    ],
    ids=["maps", "tokens", "boxes"],
)
def test_where_no_metric_is_natural_the_user_has_to_choose(output, labels):
    task = tasks.a_task(np.zeros((6, *output)), labels)
    with pytest.raises(errors.DataError, match="Choose one with --metric: agr"):
        base.choose("auto", task)
