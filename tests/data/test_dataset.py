# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.data import lazy
from tflite_opt.data import dataset
from tflite_opt.records import errors


def split(labels=None, **inputs):
    return dataset.Split(
        name="test",
        inputs=inputs or {"x": np.ones((4, 2), np.float32)},
        labels=labels,
        ids=np.arange(4),
    )


def test_lazy_inputs_are_hashed_and_taken_without_loading_them():
    given = lazy.Counted(np.arange(8).reshape(4, 2))
    whole = split(x=given)
    half = whole.take(np.array([0, 2]), "train")
    assert half.ids.tolist() == [0, 2]
    assert half.labels is None
    assert whole.fingerprint() != half.fingerprint()
    assert whole.fingerprint() == split(x=given).fingerprint()
    assert given.largest_batch() == 0


def test_labels_are_part_of_the_fingerprint():
    found = {
        split(labels).fingerprint()
        for labels in (None, np.arange(4), np.arange(4) + 1)
    }
    assert len(found) == 3


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (None, "no labels"),
        (np.ones(4, np.float32), "labels of shape (4,), float32"),
        (np.ones((4, 2, 2), int), "labels of shape (4, 2, 2), int64"),
    ],
    ids=["none", "values", "maps"],
)
def test_class_indices_are_asked_for_by_name(labels, found):
    message = f"one class for each example. Received: {found} in split='test'"
    with pytest.raises(errors.DataError, match=re.escape(message)):
        split(labels).class_indices()
    assert split(np.arange(4)).class_indices().tolist() == [0, 1, 2, 3]


def test_rejects_lengths_that_differ():
    with pytest.raises(errors.DataError, match="'x': 4, 'ids': 4, 'labels': 3"):
        split(np.arange(3))


def test_input_shape_needs_one_input():
    arrays = {"a": np.ones((4, 2)), "b": np.ones((4, 3, 1))}
    data = dataset.Dataset(
        name="d", num_classes=None, splits={"train": split(**arrays)}
    )
    assert data.input_shapes == {"a": (2,), "b": (3, 1)}
    with pytest.raises(errors.DataError, match="must have one input here"):
        _ = data.input_shape


@pytest.mark.parametrize("size", [(0, 4), (4,), (4, 4, 3)])
def test_rejects_an_image_size_that_is_none(size):
    with pytest.raises(
        errors.InputError, match=re.escape(f"image_size={size}")
    ):
        dataset.DataSpec(source="x", image_size=size)


def test_spec_survives_json():
    spec = dataset.DataSpec(
        source="images:x", image_size=(3, 4), resize="pad", preprocessing="unit"
    )
    assert dataset.DataSpec.from_json(spec.to_json()) == spec
