# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.benchmark import models
from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.tflite import entry_point, flatbuffer, sample_inputs


def _entry(builder, tmp_path):
    path = builder.save(tmp_path / "model.tflite")
    model = flatbuffer.read(path)
    return model, entry_point.find(path, model)


def _make(builder, tmp_path, seed=0):
    return sample_inputs.make(*_entry(builder, tmp_path), seed)


def test_floats_are_between_zero_and_one_and_seeded(tmp_path):
    (first,) = _make(handmade.dense(batch=50), tmp_path)
    (again,) = _make(handmade.dense(batch=50), tmp_path)
    (other,) = _make(handmade.dense(batch=50), tmp_path, seed=1)
    assert (first.shape, first.dtype) == ((50, 4), np.float32)
    assert 0 <= first.min() < 0.1
    assert 0.9 < first.max() < 1
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_quantized_inputs_get_the_whole_range(dtype, tmp_path):
    builder = handmade.Builder()
    x = builder.tensor((1, 4000), dtype, name="x", scale=[0.1])
    y = builder.tensor((1, 4000), name="y")
    options = schema.DequantizeOptionsT()
    builder.operator("DEQUANTIZE", (x,), (y,), options=options)
    builder.ends((x,), (y,))
    (found,) = _make(builder, tmp_path)
    limits = np.iinfo(dtype)
    span = limits.max - limits.min
    assert found.max() > limits.max - span / 100
    assert found.min() < limits.min + span / 100


def test_token_ids_stay_within_their_table(tmp_path):
    (found,) = _make(models.embedding(rows=3), tmp_path)
    assert set(found.flatten()) <= {0, 1, 2}
    (found,) = _make(models.embedding(rows=100_000), tmp_path)
    assert found.max() > 1000


def test_a_table_is_found_behind_rearranged_ids(tmp_path):
    builder = handmade.Builder()
    ids = builder.tensor((1, 50), "int64", name="ids")
    narrow = builder.tensor((1, 50), "int32")
    flat = builder.tensor((50,), "int32")
    table = builder.tensor((2, 9), values=np.ones((2, 9), np.float32))
    y = builder.tensor((2, 50), name="y")
    builder.operator("CAST", (ids,), (narrow,), options=schema.CastOptionsT())
    builder.operator("RESHAPE", (narrow,), (flat,))
    options = schema.GatherOptionsT()
    options.axis = 1
    builder.operator("GATHER", (table, flat), (y,), options=options)
    builder.ends((ids,), (y,))
    (found,) = _make(builder, tmp_path)
    assert set(found.flatten()) == set(range(9))


def test_other_integers_are_small(tmp_path):
    (found,) = _make(models.cast("int32", "float32"), tmp_path)
    assert set(found.flatten()) <= {0, 1}


def test_text_cannot_be_made(tmp_path):
    with pytest.raises(errors.ModelError, match="dtype=string"):
        _make(models.text(), tmp_path)


def test_a_users_examples_are_taken_by_name(tmp_path):
    _, entry = _entry(handmade.dense(batch=2), tmp_path)
    arrays = {"x": np.arange(12.0).reshape(3, 4), "labels": np.zeros(3)}
    (found,) = sample_inputs.take(entry, arrays)
    assert found.dtype == np.float32
    assert found.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"image": np.zeros((3, 4))}, "Expected: ['x']"),
        ({"x": np.zeros((3, 5))}, "shape (n, 4)"),
        ({"x": np.zeros((1, 4))}, "at least as many examples"),
        ({"x": np.zeros((3, 4), np.int32)}, "dtype=int32"),
    ],
    ids=["name", "shape", "too few", "dtype"],
)
def test_a_users_examples_must_fit(arrays, text, tmp_path):
    _, entry = _entry(handmade.dense(batch=2), tmp_path)
    with pytest.raises(errors.DataError) as caught:
        sample_inputs.take(entry, arrays)
    assert text in str(caught.value)
