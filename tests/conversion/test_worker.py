# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.conversion import worker
from tflite_opt.data import dataset
from tflite_opt.records import errors


def _check(labels, *shape):
    split = dataset.Split(
        name="test",
        inputs={"x": np.zeros((4, 8))},
        labels=labels,
        ids=np.arange(4),
    )
    worker._check_labels(split, {"y": np.zeros((4, *shape))})


def test_classes_that_the_model_lacks_are_refused():
    with pytest.raises(errors.DataError, match="label=3, split='test'"):
        _check(np.arange(4), 3)


@pytest.mark.parametrize(
    ("labels", "shape"),
    [
        (np.arange(4), (4,)),
        (np.arange(4) % 2, (1,)),
        (np.arange(4), (8, 8, 1)),
        (np.full((4, 8), 9.0, np.float32), (8,)),
        (None, (3,)),
    ],
    ids=["scores", "one-score", "reconstruction", "values", "none"],
)
def test_labels_that_are_no_classes_of_the_model_pass(labels, shape):
    _check(labels, *shape)
