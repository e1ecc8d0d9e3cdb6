# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import sys

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.data import lazy
from tests.scripts import programs
from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.tflite import interpreter, quantization


@pytest.fixture
def dense(tmp_path):
    return handmade.dense().save(tmp_path / "dense.tflite")


def _rows(count=5):
    generator = np.random.default_rng(0)
    return generator.integers(-4, 5, (count, 4)).astype(np.float32)


def _expected(rows):
    return rows @ handmade.WEIGHTS.T + handmade.BIAS


def _assert_equal(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], strict=True)


@pytest.mark.parametrize("delegate", ["xnnpack", "none"])
def test_runs_a_dense_layer(dense, delegate):
    model = interpreter.load(dense, delegate=delegate)
    found = model.run({"x": _rows()})
    assert list(found) == ["y"]
    assert found["y"].dtype == np.float32
    np.testing.assert_array_equal(found["y"], _expected(_rows()))
    assert model.partitions == (1 if delegate == "xnnpack" else 0)


def test_names_come_from_the_only_signature(tmp_path):
    builder = handmade.dense()
    builder.signature("classify", {"image": 0}, {"scores": 3})
    model = interpreter.load(builder.save(tmp_path / "model.tflite"))
    assert [spec.name for spec in model.inputs] == ["image"]
    assert [spec.name for spec in model.outputs] == ["scores"]
    assert model.inputs[0].shape == (1, 4)
    assert model.inputs[0].dtype == "float32"


def test_names_come_from_tensors_with_several_signatures(tmp_path):
    builder = handmade.dense()
    builder.signature("first", {"a": 0}, {"b": 3})
    builder.signature("second", {"c": 0}, {"d": 3})
    model = interpreter.load(builder.save(tmp_path / "model.tflite"))
    assert [spec.name for spec in model.inputs] == ["x"]


def test_tensors_without_names_are_numbered(tmp_path):
    builder = handmade.dense(named=False)
    model = interpreter.load(builder.save(tmp_path / "model.tflite"))
    found = model.run({"input_0": _rows()})
    np.testing.assert_array_equal(found["output_0"], _expected(_rows()))


@pytest.mark.parametrize("count", [1, 3, 4, 9, 40])
def test_a_fixed_number_of_examples_is_padded(tmp_path, count):
    builder = handmade.dense(batch=4)
    # A fixed new shape does not let the batch change.
    shape = builder.tensor((2,), "int32", values=np.array([4, 3], np.int32))
    z = builder.tensor((4, 3), name="z")
    builder.operator("RESHAPE", (3, shape), (z,))
    builder.ends((0,), (z,))
    model = interpreter.load(builder.save(tmp_path / "model.tflite"))
    found = model.run({"x": _rows(count)})
    np.testing.assert_array_equal(found["z"], _expected(_rows(count)))


def test_open_dimensions_follow_the_data(tmp_path):
    builder = handmade.Builder()
    x = builder.tensor((1, 1), name="x", signature=(-1, -1))
    y = builder.tensor((1, 1), name="y", signature=(-1, -1))
    builder.operator("NEG", (x,), (y,), options=schema.NegOptionsT())
    builder.ends((x,), (y,))
    model = interpreter.load(builder.save(tmp_path / "model.tflite"))
    assert model.inputs[0].shape == (-1, -1)
    np.testing.assert_array_equal(model.run({"x": _rows(7)})["y"], -_rows(7))
    wide = np.ones((3, 9), np.float32)
    np.testing.assert_array_equal(model.run({"x": wide})["y"], -wide)


def test_integers_of_an_unquantized_input_pass_unchanged(tmp_path):
    builder = handmade.Builder()
    ids = builder.tensor((1, 2), "int32", name="ids")
    table = np.arange(12, dtype=np.float32).reshape(6, 2)
    rows = builder.tensor((6, 2), values=table)
    found = builder.tensor((1, 2, 2), name="found")
    builder.operator(
        "GATHER", (rows, ids), (found,), options=schema.GatherOptionsT()
    )
    builder.ends((ids,), (found,))
    path = builder.save(tmp_path / "model.tflite")
    values = np.array([[0, 5], [3, 3], [2, 1]])
    model = interpreter.load(path)
    np.testing.assert_array_equal(
        model.run({"ids": values})["found"], table[values]
    )
    with pytest.raises(errors.DataError, match="values of dtype int32"):
        model.run({"ids": np.full((1, 2), 2**40)})
    with pytest.raises(errors.DataError, match="must be of dtype int32"):
        model.run({"ids": np.zeros((1, 2), np.float32)})


def test_float_data_are_quantized_and_integers_are_not(tmp_path):
    builder = handmade.Builder()
    x = builder.tensor((1, 4), "int8", name="x", scale=[0.5], zero_point=[3])
    y = builder.tensor((1, 4), "int8", name="y", scale=[0.5], zero_point=[3])
    shape = builder.tensor((2,), "int32", values=np.array([-1, 4], np.int32))
    builder.operator("RESHAPE", (x, shape), (y,))
    builder.ends((x,), (y,))
    model = interpreter.load(builder.save(tmp_path / "model.tflite"))
    values = np.array([[0.0, 0.6, -1.0, 1000.0]], np.float32)
    steps = np.array([[3, 4, 1, 127]], np.int8)
    np.testing.assert_array_equal(model.run_raw({"x": values})["y"], steps)
    np.testing.assert_array_equal(model.run_raw({"x": steps})["y"], steps)
    np.testing.assert_array_equal(
        model.run({"x": values})["y"], [[0.0, 0.5, -1.0, 62.0]]
    )
    with pytest.raises(errors.DataError, match="dtype int8 or floating"):
        model.run({"x": steps.astype(np.int32)})
    with pytest.raises(errors.DataError, match="NaN"):
        model.run({"x": np.full((1, 4), np.nan, np.float32)})


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"z": _rows()}, "Received: ['z']. Expected: ['x']"),
        ({"x": _rows()[:, :3]}, "must have the shape (n, 4)"),
        ({"x": _rows()[0]}, "must have the shape (n, 4)"),
        ({"x": _rows()[:0]}, "at least 1"),
        ({"x": np.float32(1)}, "at least 1"),
        ({"x": _rows().astype(np.uint8)}, "must be of dtype float32"),
        ({"x": np.full((1, 4), "a")}, "must be of dtype float32"),
    ],
    ids=["name", "shape", "rank", "none", "scalar", "integers", "text"],
)
def test_rejects_data_that_do_not_fit(dense, inputs, message):
    with pytest.raises(errors.DataError, match=re.escape(message)):
        interpreter.predict(dense, inputs)


def test_rejects_inputs_without_a_dimension_of_examples(tmp_path):
    builder = handmade.Builder()
    x, y = builder.tensor((), name="x"), builder.tensor((), name="y")
    builder.operator("NEG", (x,), (y,), options=schema.NegOptionsT())
    builder.ends((x,), (y,))
    path = builder.save(tmp_path / "model.tflite")
    # It can be prepared all the same.
    model = interpreter.load(path)
    with pytest.raises(errors.ModelError, match="must be that of the examples"):
        model.run({"x": np.ones(3, np.float32)})


@pytest.mark.parametrize("name", ["num_workers", "batch_size"])
def test_rejects_counts_below_one(dense, name):
    with pytest.raises(errors.InputError, match=f"{name}=0"):
        interpreter.predict(dense, {"x": _rows()}, **{name: 0})


def test_refuses_what_is_no_model(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"garbage")
    with pytest.raises(errors.ModelError, match="a file of 7 bytes"):
        interpreter.load(path)


def test_a_file_that_cannot_be_prepared_gives_the_reason(tmp_path):
    builder = handmade.dense()
    builder.operator("MyOperation", (3,), (3,))
    path = builder.save(tmp_path / "model.tflite")
    with pytest.raises(errors.ModelError) as caught:
        interpreter.load(path)
    assert "MyOperation" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "MyOperation" in interpreter.reason(caught.value)
    assert str(path) not in interpreter.reason(caught.value)


def test_progress_adds_up_to_all_examples(dense):
    steps = []
    interpreter.predict(
        dense, {"x": _rows(100)}, num_workers=3, progress=steps.append
    )
    assert sum(steps) == 100
    assert len(steps) > 1


def test_of_each_batch_only_what_a_function_returns_is_kept(dense):
    rows = _rows(100)

    def look(begin, inputs, raw):
        np.testing.assert_array_equal(
            inputs["x"], rows[begin : begin + len(raw["y"])]
        )
        return begin, raw["y"].sum(axis=1)

    parts = interpreter.map_batches(
        interpreter.load(dense), {"x": rows}, look, num_workers=3
    )
    begins = [begin for begin, _ in parts]
    assert begins == sorted(begins)
    assert len(begins) > 1
    expected = interpreter.predict(dense, {"x": rows})["y"].sum(axis=1)
    found = np.concatenate([sums for _, sums in parts])
    np.testing.assert_array_equal(found, expected)


def test_chatter_is_dropped_and_other_output_is_kept(dense):
    code = (
        "import os, pathlib, sys\n"
        "from tflite_opt.tflite import interpreter, native_messages\n"
        f"interpreter.load(pathlib.Path({str(dense)!r}))\n"
        "with native_messages.filtered():\n"
        "    os.write(2, b'ERROR: kept\\n')\n"
        "print('tensorflow' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=programs.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "ERROR: kept\n"
    assert done.stdout == "False\n"


def test_silence_ends_when_something_fails():
    code = (
        "import os\n"
        "from tflite_opt.tflite import native_messages\n"
        "with native_messages.silenced():\n"
        "    os.write(2, b'dropped\\n')\n"
        "try:\n"
        "    with native_messages.silenced():\n"
        "        os.write(2, b'kept\\n')\n"
        "        raise ValueError\n"
        "except ValueError:\n"
        "    pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=programs.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "kept\n"


@pytest.mark.tensorflow
@pytest.mark.parametrize("delegate", ["xnnpack", "none"])
@pytest.mark.parametrize("name", ["float32", "float16", "int8"])
def test_batches_give_the_same_bits(converted, images, name, delegate):
    path = converted / f"{name}.tflite"
    inputs = {"image": images}
    single = interpreter.load(path, delegate=delegate)
    batched = interpreter.load(path, delegate=delegate)
    expected = single.run_raw(inputs, batch_size=1)
    _assert_equal(batched.run_raw(inputs), expected)
    # Builtin float kernels add in another order for batches: one by one then.
    assert batched.batches_agree is (delegate == "xnnpack" or name == "int8")
    assert single.batches_agree is None


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["lstm", "weight_only_int4"])
def test_files_that_reject_batches_are_run_one_by_one(converted, images, name):
    path = converted / f"{name}.tflite"
    model = interpreter.load(path)
    inputs = {"image": images}
    if name == "lstm":
        steps = np.random.default_rng(0).random((20, 5, 4), np.float32)
        inputs = {model.inputs[0].name: steps}
    expected = interpreter.load(path).run_raw(inputs, batch_size=1)
    _assert_equal(model.run_raw(inputs), expected)
    assert model.batches_agree is False
    _assert_equal(interpreter.predict(path, inputs, num_workers=3), expected)


@pytest.mark.tensorflow
def test_state_does_not_leak_between_examples(converted):
    model = interpreter.load(converted / "lstm.tflite")
    (name,) = (spec.name for spec in model.inputs)
    step = np.random.default_rng(0).random((1, 5, 4), np.float32)
    found = model.run({name: np.repeat(step, 5, axis=0)})
    (values,) = found.values()
    assert (values == values[0]).all()
    assert values.any()


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["float32", "int8"])
def test_workers_do_not_change_the_result(converted, images, name):
    path = converted / f"{name}.tflite"
    inputs = {"image": images}
    expected = interpreter.predict(path, inputs)
    assert expected["scores"].shape == (70, 10)
    assert expected["scores"].dtype == np.float32
    for num_workers in (2, 3, 50):
        found = interpreter.predict(path, inputs, num_workers=num_workers)
        _assert_equal(found, expected)


@pytest.mark.tensorflow
def test_int8_inputs_and_outputs_use_their_own_parameters(converted, images):
    path = converted / "int8.tflite"
    model = interpreter.load(path)
    (image,), (scores,) = model.inputs, model.outputs
    by_hand = quantization.quantize(images, image)
    raw = model.run_raw({"image": by_hand})["scores"]
    assert raw.dtype == np.int8
    found = model.run({"image": images})["scores"]
    expected = (raw.astype(np.float32) - scores.zero_point[0]) * np.float32(
        scores.scale[0]
    )
    np.testing.assert_array_equal(found, expected)
    reference = interpreter.predict(
        converted / "float32.tflite", {"image": images}
    )["scores"]
    assert np.abs(found - reference).max() < 16 * scores.scale[0]


@pytest.mark.tensorflow
def test_a_loop_runs(converted):
    found = interpreter.predict(
        converted / "while.tflite", {"x": np.ones((3, 4), np.float32)}
    )
    (values,) = found.values()
    np.testing.assert_array_equal(values, np.full((3, 4), 8, np.float32))


@pytest.mark.parametrize("num_workers", [1, 3])
def test_lazy_examples_are_loaded_batch_by_batch(dense, num_workers):
    rows = _rows(500)
    given = lazy.Counted(rows)
    found = interpreter.predict(dense, {"x": given}, num_workers=num_workers)
    _assert_equal(found, interpreter.predict(dense, {"x": rows}))
    assert given.largest_batch() <= 32
