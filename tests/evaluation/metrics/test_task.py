# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.evaluation.metrics import tasks
from tflite_opt.evaluation.metrics import task as task_lib

_INDICES = np.array([0, 1, 1])
_MAPS = np.zeros((3, 4, 4), np.int64)


@pytest.mark.parametrize(
    ("shape", "labels", "expected"),
    [
        ((7,), _INDICES, True),
        ((1,), _INDICES, False),
        ((), None, False),
        ((4, 4, 3), None, False),
        ((4, 4, 3), _MAPS, True),
        ((4, 4, 1), _MAPS, False),
    ],
)
def test_what_class_scores_are(shape, labels, expected):
    task = tasks.a_task(np.zeros((3, *shape)), labels)
    assert task.has_class_scores is expected


@pytest.mark.parametrize(
    ("features", "labels", "expected"),
    [
        (5, _INDICES, True),
        (5, None, True),
        (5, np.array([0, 1, 4]), False),
        (2, _INDICES, False),
        (1, _INDICES, False),
    ],
)
def test_labels_decide_what_a_vector_like_the_input_is(
    features, labels, expected
):
    array = np.zeros((3, features))
    assert tasks.a_task(array, labels, array).is_reconstruction is expected


def test_it_says_what_there_is():
    text = tasks.a_task(np.zeros((3, 7)), _MAPS).describe()
    assert text == (
        "model='int8', labels=int64 of shape (n, 4, 4), outputs={'y': (7,)} "
        "for inputs={'x': (8, 8, 1)}"
    )
    assert "labels=none" in tasks.a_task(np.zeros((3, 7)), None).describe()


def test_a_batch_without_labels_has_no_truth():
    batch = task_lib.Batch(inputs={}, outputs={}, labels=None, originals=None)
    with pytest.raises(ValueError, match="no labels"):
        _ = batch.truth
    with pytest.raises(ValueError, match="no outputs of the original"):
        _ = batch.original
