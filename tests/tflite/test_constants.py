# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.tflite import constants, flatbuffer


def _values(path, index):
    model = flatbuffer.read(path)
    return constants.read(model, model.subgraphs[0].tensors[index])


def test_only_the_bytes_of_the_values_change(tmp_path):
    source = handmade.dense().save(tmp_path / "old.tflite")
    new = handmade.WEIGHTS * 2
    constants.replace(source, tmp_path / "new.tflite", {1: new})
    np.testing.assert_array_equal(_values(source, 1), handmade.WEIGHTS)
    np.testing.assert_array_equal(_values(tmp_path / "new.tflite", 1), new)
    before, after = (
        np.frombuffer((tmp_path / name).read_bytes(), np.uint8)
        for name in ("old.tflite", "new.tflite")
    )
    assert len(before) == len(after)
    assert 0 < (before != after).sum() <= handmade.WEIGHTS.nbytes


@pytest.mark.parametrize("size", [5, 6])
def test_int4_values_survive(tmp_path, size):
    builder = handmade.Builder()
    builder.tensor((size,), "int4", buffer=builder.buffer(bytes(3)))
    source = builder.save(tmp_path / "old.tflite")
    values = np.array([-8, 7, -1, 0, 3, -7][:size], np.int8)
    constants.replace(source, tmp_path / "new.tflite", {0: values})
    np.testing.assert_array_equal(_values(tmp_path / "new.tflite", 0), values)


def test_shared_values_are_not_replaced(tmp_path):
    builder = handmade.Builder()
    shared = builder.buffer(np.ones(4, np.float32).tobytes())
    for _ in range(2):
        builder.tensor((4,), buffer=shared)
    path = builder.save(tmp_path / "shared.tflite")
    assert not constants.is_replaceable(flatbuffer.read(path), 0)
    with pytest.raises(errors.ModelError, match="no other tensor shares"):
        constants.replace(path, tmp_path / "x", {0: np.zeros(4, np.float32)})
    assert not (tmp_path / "x").exists()


def test_values_of_another_size_are_not_stored(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    with pytest.raises(errors.ModelError, match="4 bytes for 12"):
        constants.replace(path, tmp_path / "x", {2: np.zeros(1, np.float32)})


def test_values_that_are_not_there_cannot_be_read(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    with pytest.raises(
        errors.ModelError, match=re.escape("tensor='x' of float32 with 0 bytes")
    ):
        _values(path, 0)
