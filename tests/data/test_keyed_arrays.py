# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tflite_opt.data import keyed_arrays
from tflite_opt.records import errors


def read(**changes):
    arrays = {
        "x_train": np.arange(24, dtype=np.uint8).reshape(6, 2, 2),
        "y_train": np.array([0, 1, 2, 0, 1, 2], np.uint8),
        "x_test": np.ones((3, 2, 2), np.uint8),
        "y_test": np.array([0, 1, 2], np.uint8),
    } | changes
    given = {key: x for key, x in arrays.items() if x is not None}
    return keyed_arrays.to_parts(given, "'d.npz'")


def test_pixels_are_cast_but_never_scaled():
    found = read()
    assert list(found) == ["train", "test"]
    assert found["train"].inputs["x"].dtype == np.float32
    assert found["train"].inputs["x"].max() == 23
    assert found["train"].labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert found["train"].labels.dtype == np.int64


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("uint8", "float32"),
        ("int16", "float32"),
        ("float16", "float32"),
        ("float64", "float32"),
        ("int32", "int32"),
        ("int64", "int32"),
        ("uint32", "int32"),
    ],
)
def test_wide_integers_stay_integers(given, expected):
    values = np.ones((6, 2), given)
    found = read(x_train=values, x_test=None, y_test=None)
    assert found["train"].inputs["x"].dtype == expected


def test_float32_values_are_not_copied():
    values = np.ones((6, 2, 2), np.float32)
    assert read(x_train=values)["train"].inputs["x"] is values


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        (np.array([True, False] * 3), "int64"),
        (np.zeros((6, 4, 4), np.uint8), "int64"),
        (np.ones(6), "float32"),
        (np.ones((6, 2, 3)), "float32"),
    ],
    ids=["truth values", "class maps", "values", "several values"],
)
def test_labels_may_be_more_than_classes(labels, dtype):
    found = read(y_train=labels)["train"].labels
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"y_test": None},
            "Missing: y_test. Received: x_test, x_train, y_train in 'd.npz'",
        ),
        ({"x_test": None}, "Missing: x_test."),
        ({"y_validation": np.ones(3)}, "Missing: x_validation."),
        ({"x_train": None}, "Missing: x_train."),
        (
            {"x_train/ids": np.ones((6, 2))},
            "x_train stands beside named inputs.",
        ),
        (
            {"y_train": np.eye(6, dtype=int)},
            "`y_train` must hold integer class indices, shape (n,), integer "
            "class maps, shape (n, height, width), or floats. Received: "
            "dtype=int64, shape=(6, 6) in 'd.npz'",
        ),
        ({"y_train": np.array(list("abcabc"))}, "Received: dtype=<U1"),
        ({"y_train": np.array(1.0)}, "Received: dtype=float64, shape=()"),
        (
            {"y_train": np.array([0, np.nan, 1, 1, 1, 1])},
            "`y_train` must be finite as float32. Received: NaN or infinity "
            "in 1 of 6 examples, the first at position 1",
        ),
        (
            {"x_test": np.array([[[1.0]], [[np.nan]], [[np.inf]]])},
            "NaN or infinity in 2 of 3 examples, the first at position 1",
        ),
        (
            {"x_test": np.full((3, 2, 2), 1e300)},
            "NaN or infinity in 3 of 3 examples",
        ),
        (
            {"x_test": np.full((3, 2), 2**40)},
            "`x_test` must fit into int32. Received: values from "
            "1099511627776 to 1099511627776",
        ),
        (
            {"x_test": np.full((3, 2, 2), "red")},
            "`x_test` must hold real numbers, shape (n, ...). Received: "
            "dtype=<U3",
        ),
        ({"x_test": np.ones(3)}, "Received: dtype=float64, shape=(3,)"),
    ],
)
def test_rejects(changes, message):
    with pytest.raises(errors.DataError, match=re.escape(message)):
        read(**changes)
