# SPDX-License-Identifier: Apache-2.0
import dataclasses
import re

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade
from tflite_opt.records import errors, files
from tflite_opt.records import golden as golden_record
from tflite_opt.tflite import golden

COUNT = 20


def _two_inputs(path, *, swapped=False, reverse=False, error=0.0):
    """Writes left - 2 * right (+ error), or the same with other names.

    `reverse` names the second input first.
    """
    builder = handmade.Builder()
    left = builder.tensor((1, 3), name="a")
    right = builder.tensor((1, 3), name="b")
    minus_two = builder.tensor((3,), values=np.full(3, -2, np.float32))
    offset = builder.tensor((3,), values=np.full(3, error, np.float32))
    scaled, summed, y = (builder.tensor((1, 3), name=n) for n in "stu")
    multiply, add = schema.MulOptionsT(), schema.AddOptionsT()
    builder.operator("MUL", (right, minus_two), (scaled,), options=multiply)
    builder.operator("ADD", (left, scaled), (summed,), options=add)
    builder.operator("ADD", (summed, offset), (y,), options=add)
    builder.ends((left, right), (y,))
    names = ("right", "left") if swapped else ("left", "right")
    pairs = list(zip(names, (left, right), strict=True))
    ordered = dict(reversed(pairs) if reverse else pairs)
    builder.signature("serve", ordered, {"y": y})
    return builder.save(path)


def _examples(**fields):
    random = np.random.default_rng(0)
    left, right = random.random((2, COUNT, 3), np.float32)
    values = {
        "inputs": {"left": left, "right": right},
        "outputs": {"y": left - 2 * right},
        "labels": np.arange(COUNT),
        "preprocessing": "unit",
        "original_sha256": "1" * 64,
    }
    return golden.Reference(**values | fields)


@pytest.fixture
def model(tmp_path):
    return _two_inputs(tmp_path / "model.tflite")


@pytest.fixture
def vectors(model):
    return golden.read(golden.write(model, _examples()))


def test_the_file_holds_the_first_examples_and_says_what_they_are(
    model, vectors
):
    found, examples = vectors.golden, _examples()
    assert golden_record.path_beside(model).name == "model.golden.npz"
    assert found.num_examples == golden.DEFAULT_NUM_EXAMPLES == 8
    assert found.signature_key == "serve"
    assert [x.spec.name for x in found.inputs] == ["left", "right"]
    assert [x.position for x in found.inputs] == [0, 1]
    assert [x.spec.name for x in found.outputs] == ["y"]
    assert found.preprocessing == "unit"
    assert found.artifact_sha256 == files.sha256_of_file(model)
    assert found.original_sha256 == "1" * 64
    for name, values in vectors.inputs.items():
        np.testing.assert_array_equal(values, examples.inputs[name][:8])
    np.testing.assert_array_equal(
        vectors.outputs["y"], examples.outputs["y"][:8]
    )
    np.testing.assert_array_equal(vectors.labels, np.arange(8))


def test_labels_may_be_absent(model):
    path = golden.write(model, _examples(labels=None))
    assert golden.read(path).labels is None


@pytest.mark.parametrize("delegate", ["xnnpack", "none"])
def test_the_files_own_replay_passes(model, vectors, delegate):
    result = golden.replay(model, vectors, delegate)
    (output,) = result.outputs
    assert result.ok
    assert result.is_own
    assert result.delegate == delegate
    assert output.examples_within == 8
    assert output.cosine_similarity == pytest.approx(1)
    assert output.top1_agreement == 1


def test_swapped_inputs_fail(tmp_path, vectors):
    swapped = _two_inputs(tmp_path / "swapped.tflite", swapped=True)
    result = golden.replay(swapped, vectors)
    assert not result.ok
    assert not result.is_own
    assert result.outputs[0].examples_within == 0


def test_another_scale_of_the_inputs_fails(model, vectors):
    scaled = {name: 255 * x for name, x in vectors.inputs.items()}
    wrong = dataclasses.replace(vectors, inputs=scaled)
    result = golden.replay(model, wrong)
    assert not result.ok
    assert result.outputs[0].max_absolute_difference > 100


def test_the_tolerance_is_the_files_own_error_plus_a_margin(tmp_path):
    error = 0.25
    path = _two_inputs(tmp_path / "model.tflite", error=error)
    vectors = golden.read(golden.write(path, _examples()))
    (output,) = vectors.golden.outputs
    largest = np.abs(vectors.outputs["y"]).max()
    assert output.margin == pytest.approx(1e-4 * largest)
    assert output.tolerance == pytest.approx((error + output.margin,) * 8)
    assert "at most 0.25" in output.derivation
    assert "0.0001 of the largest value" in output.derivation
    assert golden.replay(path, vectors).ok
    # As a device whose kernels are too far from this machine's.
    worse = _two_inputs(tmp_path / "worse.tflite", error=error + 1e-3)
    assert not golden.replay(worse, vectors).ok


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_a_quantized_output_may_be_two_steps_off(tmp_path, dtype):
    builder = handmade.quantize(0.5, 3, dtype)
    path = builder.save(tmp_path / "model.tflite")
    values = np.linspace(-1, 1, 4 * 8, dtype=np.float32).reshape(4, 8)
    examples = _examples(
        inputs={"x": values}, outputs={"y": values}, labels=None
    )
    (output,) = golden.read(golden.write(path, examples)).golden.outputs
    assert output.margin == 1
    assert output.spec.scale == (0.5,)
    assert output.spec.zero_point == (3,)
    rounding = np.abs(values - np.rint(values * 2) / 2).max(axis=1)
    assert output.tolerance == pytest.approx(rounding + 1)


def test_the_step_of_a_dequantized_output_counts(tmp_path):
    builder = handmade.Builder()
    x = builder.tensor((1, 8), "int8", name="x", scale=[0.5], zero_point=[0])
    y = builder.tensor((1, 8), name="y")
    options = schema.DequantizeOptionsT()
    builder.operator("DEQUANTIZE", (x,), (y,), options=options)
    builder.ends((x,), (y,))
    path = builder.save(tmp_path / "model.tflite")
    values = np.ones((2, 8), np.float32)
    examples = _examples(
        inputs={"x": values}, outputs={"y": values}, labels=None
    )
    (output,) = golden.read(golden.write(path, examples)).golden.outputs
    assert output.margin == 1
    assert "2 quantization steps of 0.5" in output.derivation


def test_large_examples_are_fewer_but_one_at_least(model, monkeypatch):
    sizes = {}
    for limit in (100, 10):
        monkeypatch.setattr(golden, "MAX_BYTES", limit)
        path = golden.write(model, _examples())
        sizes[limit] = golden.read(path).golden.num_examples
    # An example has three times three float32 values.
    assert sizes == {100: 2, 10: 1}


def test_outputs_of_another_model_are_refused(model):
    with pytest.raises(errors.DataError, match="those of the original model"):
        golden.write(model, _examples(outputs={"z": np.zeros((COUNT, 3))}))
    assert not golden_record.path_beside(model).exists()


def test_infinity_on_one_side_only_is_refused(model):
    outputs = {"y": np.full((COUNT, 3), np.nan, np.float32)}
    with pytest.raises(errors.DataError, match="a difference to NaN"):
        golden.write(model, _examples(outputs=outputs))


def test_inputs_are_in_the_order_of_the_signature(tmp_path):
    path = _two_inputs(tmp_path / "model.tflite", reverse=True)
    found = golden.read(golden.write(path, _examples())).golden
    assert [x.spec.name for x in found.inputs] == ["right", "left"]
    assert [x.position for x in found.inputs] == [1, 0]


def test_a_file_with_other_inputs_is_refused(tmp_path, vectors):
    path = handmade.dense().save(tmp_path / "dense.tflite")
    message = "Received: ['left', 'right']. Expected: ['x']"
    with pytest.raises(errors.DataError, match=re.escape(message)):
        golden.replay(path, vectors)


def test_a_foreign_npz_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x_train=np.zeros(3))
    with pytest.raises(errors.InputError, match="with x_train"):
        golden.read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must describe its arrays"),
        ("[]", "must describe its arrays"),
        ('{"record": "Golden", "schema_version": 99}', "schema_version=99"),
    ],
    ids=["no json", "no object", "other version"],
)
def test_a_text_that_is_no_description_is_refused(tmp_path, text, message):
    path = tmp_path / "data.npz"
    np.savez(path, golden=np.array(text))
    with pytest.raises(errors.InputError, match=message):
        golden.read(path)


def test_missing_arrays_are_refused(model):
    path = golden.write(model, _examples())
    arrays = files.read_npz(path)
    short = arrays | {"inputs/left": arrays["inputs/left"][:3]}
    del arrays["outputs/y"]
    for damaged in (arrays, short):
        files.write_npz(path, damaged)
        with pytest.raises(errors.InputError, match="arrays it describes"):
            golden.read(path)


def test_the_same_vectors_are_the_same_bytes(model):
    first = golden.write(model, _examples()).read_bytes()
    assert golden.write(model, _examples()).read_bytes() == first
