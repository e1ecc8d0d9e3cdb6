# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tflite_opt.data import dataset, sources
from tflite_opt.records import errors


def write(directory, **arrays):
    path = directory / "d.npz"
    np.savez(path, **arrays)
    return path


def load(path, **fields):
    return sources.load(dataset.DataSpec(source=f"npz:{path}", **fields))


def sizes(data):
    return {name: len(split) for name, split in data.splits.items()}


def test_is_split_like_a_set_with_an_official_test_set(tmp_path):
    x = np.arange(100, dtype=np.float64)[:, np.newaxis]
    y = np.arange(100) % 4
    path = write(tmp_path, x_train=x, y_train=y, x_test=x, y_test=y)
    data = load(path, num_calibration=90)
    assert data.name == "npz:d.npz"
    assert data.num_classes == 4
    assert sizes(data) == {
        "train": 90,
        "calibration": 90,
        "validation": 10,
        "test": 100,
    }
    assert data["test"].ids.tolist() == list(range(100, 200))
    np.testing.assert_array_equal(data["test"].inputs["x"], x)
    assert data["train"].inputs["x"].dtype == np.float32


def test_keeps_its_own_validation_part(tmp_path):
    x, y = np.ones((20, 2), np.float32), np.arange(20) % 2
    arrays = {
        f"{a}_{p}": v
        for a, v in (("x", x), ("y", y))
        for p in ("train", "validation", "test")
    }
    data = load(write(tmp_path, **arrays), num_calibration=5)
    assert data["validation"].ids.tolist() == list(range(20, 40))
    assert sorted(data["train"].ids) == list(range(20))


def test_fingerprints_of_earlier_versions_are_still_valid(tmp_path):
    x = np.arange(40, dtype=np.float32).reshape(20, 2)
    y = np.arange(20) % 2
    path = write(tmp_path, x_train=x, y_train=y, x_test=x, y_test=y)
    assert load(path, num_calibration=5).fingerprint() == (
        "f2be684eee27709739724011db164ff90107981b61737948b4fda0d97c5db859"
    )


def test_train_alone_is_an_unlabelled_pool(tmp_path):
    path = write(tmp_path, x_train=np.ones((100, 3), np.float32))
    data = load(path, num_calibration=10)
    assert sizes(data) == {
        "train": 60,
        "calibration": 10,
        "validation": 15,
        "test": 25,
    }
    assert data.num_classes is None
    assert {split.labels for split in data.splits.values()} == {None}


def test_named_inputs_keep_token_ids_as_integers(tmp_path):
    arrays = {
        "x_train/ids": np.arange(80).reshape(40, 2),
        "x_train/a.b/c": np.ones((40, 3), np.uint8),
        "y_train": np.linspace(0, 1, 40),
    }
    data = load(write(tmp_path, **arrays), num_calibration=5)
    assert data.input_shapes == {"ids": (2,), "a.b/c": (3,)}
    test = data["test"]
    assert test.inputs["ids"].dtype == np.int32
    assert test.inputs["a.b/c"].dtype == np.float32
    assert test.labels.dtype == np.float32
    np.testing.assert_array_equal(test.inputs["ids"][:, 0], 2 * test.ids)
    np.testing.assert_allclose(test.labels, test.ids / 39, rtol=1e-6)


def test_ignores_arrays_it_does_not_know(tmp_path):
    names = np.array(["a", None], dtype=object)
    path = write(tmp_path, x_train=np.ones((9, 2)), names=names)
    assert sizes(load(path, num_calibration=1))["test"] == 2


def test_missing_keys_are_named_beside_all_that_the_file_has(tmp_path):
    path = write(tmp_path, X_train=np.ones(3), labels=np.ones(3))
    with pytest.raises(
        errors.DataError,
        match=r"Missing: x_train. Received: X_train, labels in '.*d.npz'",
    ):
        load(path)


def test_refuses_objects(tmp_path):
    path = write(tmp_path, x_train=np.array([{}] * 6, dtype=object))
    with pytest.raises(errors.DataError, match="objects are not unpickled"):
        load(path)


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
        load(path)
    assert "\n" not in str(caught.value)


def test_rejects_a_damaged_array(tmp_path):
    path = write(tmp_path, x_train=np.arange(24, dtype=np.uint8).reshape(6, 4))
    content = bytearray(path.read_bytes())
    start = content.index(b"\x93NUMPY")
    content[start + 130 : start + 140] = b"damaged!!!"
    path.write_bytes(content)
    with pytest.raises(errors.DataError, match="Bad CRC-32"):
        load(path)


def test_rejects_a_single_array_and_a_directory(tmp_path):
    np.save(tmp_path / "data.npy", np.ones(3))
    with pytest.raises(errors.DataError, match="holds a single array"):
        load(tmp_path / "data.npy")
    with pytest.raises(errors.DataError, match=re.escape("Is a directory")):
        load(tmp_path)
