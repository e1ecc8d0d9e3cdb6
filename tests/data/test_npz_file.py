# SPDX-License-Identifier: Apache-2.0
import pathlib
import re

import numpy as np
import pytest

from tflite_opt.data import npz_file
from tflite_opt.records import errors


def arrays(**changes):
    content = {
        "x_train": np.arange(24, dtype=np.uint8).reshape(6, 2, 2),
        "y_train": np.array([0, 1, 2, 0, 1, 2], np.uint8),
        "x_test": np.ones((3, 2, 2), np.uint8),
        "y_test": np.array([0, 1, 2], np.uint8),
    } | changes
    return {key: array for key, array in content.items() if array is not None}


def write(directory, **changes) -> pathlib.Path:
    path = directory / "data.npz"
    np.savez(path, **arrays(**changes))
    return path


def test_values_are_cast_but_never_scaled(tmp_path):
    parts = npz_file.load(write(tmp_path))
    assert list(parts) == ["train", "test"]
    assert parts["train"].values.dtype == np.float32
    assert parts["train"].values.max() == 23
    assert parts["train"].labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert parts["train"].labels.dtype == np.int64


def test_keeps_a_validation_part(tmp_path):
    parts = npz_file.load(
        write(
            tmp_path,
            x_validation=np.zeros((2, 2, 2)),
            y_validation=np.array([1, 2]),
        )
    )
    assert list(parts) == ["train", "validation", "test"]
    assert parts["validation"].labels.tolist() == [1, 2]


def test_ignores_arrays_it_does_not_know(tmp_path):
    path = write(tmp_path, names=np.array(["a", None], dtype=object))
    assert set(npz_file.load(path)) == {"train", "test"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"y_test": None, "X_test": np.ones(3)},
            "Missing: y_test. Received: X_test, x_test, x_train, y_train in",
        ),
        (
            {"x_validation": np.ones((3, 2, 2))},
            "together or not at all. Missing: y_validation.",
        ),
        (
            {"y_test": np.array([0, 3, 4])},
            "`y_test` must be in [0, 3), the classes of `y_train`. Received: "
            "label 3 at position 1 (2 in all)",
        ),
        (
            {"y_train": np.array([0, 1, -1, 0, 1, 2])},
            "Received: label -1 at position 2 (1 in all)",
        ),
        (
            {"y_train": np.array([0, 1, 2.5, 0, 1, 2])},
            "`y_train` must hold integer class indices, shape (n,). Received: "
            "dtype=float64, shape=(6,)",
        ),
        (
            {"y_train": np.eye(6, dtype=int)},
            "Received: dtype=int64, shape=(6, 6)",
        ),
        (
            {"y_train": np.zeros(6, int), "y_test": np.zeros(3, int)},
            "`y_train` must hold at least two classes.",
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
            {"x_test": np.full((3, 2, 2), "red")},
            "`x_test` must hold real numbers, shape (n, ...). Received: "
            "dtype=<U3",
        ),
        (
            {"x_test": np.ones((2, 2, 2))},
            "`x_test` and `y_test` must have the same length, at least 1. "
            "Received: 2 and 3",
        ),
        (
            {"x_test": np.ones((0, 2, 2)), "y_test": np.zeros(0, int)},
            "at least 1. Received: 0 and 0",
        ),
        (
            {"x_test": np.ones((3, 2, 3))},
            "Examples must have the same shape in every part. Received: "
            "{'x_train': (2, 2), 'x_test': (2, 3)}",
        ),
        (
            {"x_train": np.array([{}] * 6, dtype=object)},
            "objects are not unpickled",
        ),
    ],
    ids=[
        "missing key",
        "half a validation part",
        "test label outside",
        "negative label",
        "float labels",
        "one-hot labels",
        "one class",
        "nan",
        "too large for float32",
        "text",
        "lengths",
        "empty",
        "shapes",
        "objects",
    ],
)
def test_rejects(tmp_path, changes, message):
    with pytest.raises(errors.DataError, match=re.escape(message)):
        npz_file.load(write(tmp_path, **changes))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No data set at"),
        (b"", "Cannot read the data set"),
        (b"hello, world", "Cannot read the data set"),
        (b"PK\x03\x04 broken", "Cannot read the data set"),
    ],
    ids=["missing", "empty", "text", "broken zip"],
)
def test_rejects_a_file_that_is_no_npz(tmp_path, content, message):
    path = tmp_path / "data.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.DataError, match=message) as caught:
        npz_file.load(path)
    assert "\n" not in str(caught.value)


def test_rejects_a_damaged_array(tmp_path):
    path = write(tmp_path)
    content = bytearray(path.read_bytes())
    start = content.index(b"\x93NUMPY")
    content[start + 130 : start + 140] = b"damaged!!!"
    path.write_bytes(content)
    with pytest.raises(errors.DataError, match="Bad CRC-32"):
        npz_file.load(path)


def test_rejects_a_single_array_and_a_directory(tmp_path):
    np.save(tmp_path / "data.npy", np.ones(3))
    with pytest.raises(errors.DataError, match="holds a single array"):
        npz_file.load(tmp_path / "data.npy")
    with pytest.raises(errors.DataError, match="Is a directory"):
        npz_file.load(tmp_path)
