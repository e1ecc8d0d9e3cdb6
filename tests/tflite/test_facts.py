# SPDX-License-Identifier: Apache-2.0
import math
import random

import numpy as np
import pytest

from tests.tflite import handmade
from tflite_opt.records import errors, files
from tflite_opt.records import facts as facts_record
from tflite_opt.tflite import facts

# Kernels of the conv net: 3x3x3 to 8, 3x3x8 depthwise, 4x4x8 to 10.
_CONV, _DEPTHWISE, _DENSE = 3 * 3 * 3 * 8, 3 * 3 * 8, 4 * 4 * 8 * 10
_WEIGHTS = _CONV + _DEPTHWISE + _DENSE


def _read(path):
    return facts.read_facts(path, delegation=False)


def _save(builder, tmp_path):
    return _read(builder.save(tmp_path / "model.tflite"))


def _roles(found):
    return {tensor.name: tensor.role for tensor in found.tensors}


def _weight_dtypes(found):
    return {
        operator.name: {found.tensors[i].dtype for i in operator.weights}
        for operator in found.operators
        if operator.weights
    }


def test_reads_a_dense_layer(tmp_path):
    builder = handmade.dense()
    builder.signature("classify", {"image": 0}, {"scores": 3})
    builder.metadata("min_runtime_version", b"1.5.0".ljust(16, b"\0"))
    builder.model.description = "made by hand"
    found = _save(builder, tmp_path)
    path = tmp_path / "model.tflite"
    assert found.sha256 == files.sha256_of_file(path)
    assert found.size_bytes == path.stat().st_size
    assert found.gzip_bytes == files.gzip_size_of_file(path)
    assert found.description == "made by hand"
    assert found.min_runtime_version == "1.5.0"
    assert found.metadata_names == ("min_runtime_version",)
    assert found.num_subgraphs == 1
    assert found.operator_counts == {"FULLY_CONNECTED": 1}
    assert found.operators[0].weights == (1,)
    assert found.bytes_by_dtype == {"float32": (12 + 3) * 4}
    assert found.delegation is None
    assert _roles(found) == {
        "x": "input",
        "weights": "weight",
        "bias": "bias",
        "y": "output",
    }
    (signature,) = found.signatures
    assert signature.key == "classify"
    assert signature.inputs == (
        facts_record.TensorSpec(name="image", shape=(1, 4), dtype="float32"),
    )
    assert [spec.name for spec in signature.outputs] == ["scores"]
    assert [spec.name for spec in found.inputs] == ["x"]


def test_facts_survive_their_json(tmp_path):
    found = _save(handmade.dense(), tmp_path)
    again = facts_record.ModelFacts.from_json(found.to_json())
    assert again == found


def test_absent_metadata_gives_no_runtime_version(tmp_path):
    assert _save(handmade.dense(), tmp_path).min_runtime_version is None


def test_open_dimensions_are_kept(tmp_path):
    builder = handmade.dense()
    builder.model.subgraphs[0].tensors[0].shapeSignature = [-1, 4]
    found = _save(builder, tmp_path)
    assert found.inputs[0].shape == (-1, 4)
    assert found.tensors[0].num_elements == 0


def test_a_shared_buffer_counts_once(tmp_path):
    builder = handmade.dense()
    tensors = builder.model.subgraphs[0].tensors
    again = builder.tensor((3, 4), buffer=tensors[1].buffer)
    y = builder.tensor((1, 3))
    builder.operator("FULLY_CONNECTED", (0, again, 2), (y,))
    found = _save(builder, tmp_path)
    assert len(found.weights) == 2
    assert found.bytes_by_dtype == {"float32": (12 + 3) * 4}


def test_shared_bytes_of_different_buffers_count_once(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    content = path.read_bytes()
    # Both buffers point behind the flatbuffer, at the same bytes.
    builder = handmade.dense()
    for buffer in builder.model.buffers[1:]:
        buffer.data, buffer.offset, buffer.size = None, len(content), 12
    padded = builder.content().ljust(len(content), b"\0") + b"\0" * 12
    path.write_bytes(padded)
    assert _read(path).bytes_by_dtype == {"float32": 12}


@pytest.mark.parametrize(
    ("dtype", "shape", "scale", "role"),
    [
        ("float32", (10, 4), None, "weight"),
        ("int8", (10, 4), [0.5], "weight"),
        ("int8", (10, 4), None, "constant"),
        ("int32", (10, 4), None, "constant"),
        ("float32", (10,), None, "constant"),
    ],
    ids=["float", "quantized", "plain-int8", "indices", "vector"],
)
def test_a_gathered_table_is_a_weight_if_it_holds_real_values(
    tmp_path, dtype, shape, scale, role
):
    builder = handmade.Builder()
    ids = builder.tensor((1,), "int32", name="ids")
    table = builder.tensor(
        shape,
        dtype,
        name="table",
        values=np.zeros(shape, dtype),
        scale=scale,
    )
    rows = builder.tensor((1, 4), dtype, name="rows")
    builder.operator("GATHER", (table, ids), (rows,))
    builder.ends((ids,), (rows,))
    found = _save(builder, tmp_path)
    assert _roles(found)["table"] == role


def test_a_constant_factor_of_a_matrix_product_is_a_weight(tmp_path):
    builder = handmade.Builder()
    x = builder.tensor((1, 4, 4), name="x")
    constant = builder.tensor((1, 4, 4), name="w", values=np.ones(16, "f4"))
    y = builder.tensor((1, 4, 4), name="y")
    z = builder.tensor((1, 4, 4), name="z")
    builder.operator("BATCH_MATMUL", (x, constant), (y,))
    builder.operator("BATCH_MATMUL", (x, y), (z,))
    builder.ends((x,), (z,))
    found = _save(builder, tmp_path)
    assert [operator.weights for operator in found.operators] == [(1,), ()]
    assert _roles(found)["y"] == "activation"


def test_weights_are_found_behind_densify_and_dequantize(tmp_path):
    builder = handmade.dense()
    sparse = builder.tensor(
        (3, 4), "float16", name="sparse", values=np.ones(5, np.float16)
    )
    half = builder.tensor((3, 4), "float16", name="half")
    full = builder.tensor((3, 4), name="full")
    y = builder.tensor((1, 3), name="z")
    builder.operator("DENSIFY", (sparse,), (half,))
    builder.operator("DEQUANTIZE", (half,), (full,))
    builder.operator("FULLY_CONNECTED", (0, full, -1), (y,))
    found = _save(builder, tmp_path)
    assert found.operators[-1].weights == (sparse,)
    stored = found.tensors[sparse]
    assert stored.role == "weight"
    assert (stored.num_elements, stored.constant_bytes) == (12, 10)
    assert _roles(found)["full"] == "activation"


def test_a_circle_of_dequantize_ends(tmp_path):
    builder = handmade.Builder()
    first = builder.tensor((3, 4))
    second = builder.tensor((3, 4))
    x, y = builder.tensor((1, 4)), builder.tensor((1, 3))
    builder.operator("DEQUANTIZE", (first,), (second,))
    builder.operator("DEQUANTIZE", (second,), (first,))
    builder.operator("FULLY_CONNECTED", (x, first), (y,))
    assert _save(builder, tmp_path).weights == ()


def test_several_signatures_are_kept(tmp_path):
    builder = handmade.dense()
    builder.signature("first", {"a": 0}, {"b": 3})
    builder.signature("second", {"c": 0}, {"d": 3})
    found = _save(builder, tmp_path)
    assert [s.key for s in found.signatures] == ["first", "second"]
    assert found.signatures[1].inputs[0].name == "c"


def test_refuses_a_scale_that_is_not_finite(tmp_path):
    builder = handmade.quantize(math.inf, 0)
    with pytest.raises(errors.ModelError, match="finite scales"):
        _save(builder, tmp_path)


def test_refuses_a_missing_file(tmp_path):
    with pytest.raises(errors.ModelError, match="No model at"):
        facts.read_facts(tmp_path / "nothing.tflite")


@pytest.mark.tensorflow
def test_float32(converted):
    found = facts.read_facts(converted / "float32.tflite")
    assert found.quantized_weight_fraction == 0.0
    assert sum(t.num_elements for t in found.weights) == _WEIGHTS
    assert all(t.scales == 0 for t in found.tensors)
    assert found.operator_counts == {
        "CONV_2D": 1,
        "DEPTHWISE_CONV_2D": 1,
        "FULLY_CONNECTED": 1,
        "RESHAPE": 1,
    }
    assert found.delegation.partitions == 1
    assert found.delegation.left_out == ()
    assert found.delegation.delegate_error == ""
    assert found.delegation.builtin_error == ""
    (signature,) = found.signatures
    assert signature.key == "serving_default"
    assert signature.inputs == (
        facts_record.TensorSpec(
            name="image", shape=(1, 8, 8, 3), dtype="float32"
        ),
    )
    assert signature.outputs == (
        facts_record.TensorSpec(name="scores", shape=(1, 10), dtype="float32"),
    )
    assert found.min_runtime_version
    roles = [tensor.role for tensor in found.tensors]
    assert roles.count("input") == roles.count("output") == 1
    assert roles.count("weight") == 3
    # The two equal biases of 8 are stored once; RESHAPE has an int32 shape.
    biases = [t.num_elements for t in found.tensors if t.role == "bias"]
    assert sorted(biases) == [8, 10]
    assert found.bytes_by_dtype == {
        "float32": 4 * (_WEIGHTS + 8 + 10),
        "int32": 2 * 4,
    }


@pytest.mark.tensorflow
def test_float16_weights_are_behind_dequantize(converted):
    found = facts.read_facts(converted / "float16.tflite")
    assert found.operator_counts["DEQUANTIZE"] >= 3
    assert _weight_dtypes(found) == {
        "CONV_2D": {"float16"},
        "DEPTHWISE_CONV_2D": {"float16"},
        "FULLY_CONNECTED": {"float16"},
    }
    assert found.quantized_weight_fraction == 0.0
    assert found.weight_fraction(frozenset({"float16"})) == 1.0
    assert found.delegation.partitions == 1


@pytest.mark.tensorflow
def test_int8(converted):
    found = facts.read_facts(converted / "int8.tflite")
    assert found.quantized_weight_fraction == 1.0
    assert found.bytes_by_dtype["int8"] == _WEIGHTS
    by_elements = {t.num_elements: t.scales for t in found.weights}
    assert by_elements == {_CONV: 8, _DEPTHWISE: 8, _DENSE: 10}
    assert {t.dtype for t in found.tensors if t.role == "bias"} == {"int32"}
    (image,) = found.signatures[0].inputs
    (scores,) = found.signatures[0].outputs
    assert image.dtype == scores.dtype == "int8"
    # Images are in [0, 1): 255 steps from zero point -128.
    assert image.scale[0] == pytest.approx(1 / 255, rel=0.01)
    assert image.zero_point == (-128,)
    assert len(scores.scale) == len(scores.zero_point) == 1
    assert found.delegation.partitions == 1


@pytest.mark.tensorflow
def test_int4_counts_elements_by_shape_and_bytes_by_buffer(converted):
    found = _read(converted / "weight_only_int4.tflite")
    assert _weight_dtypes(found) == {
        "CONV_2D": {"int4"},
        "DEPTHWISE_CONV_2D": {"float32"},
        "FULLY_CONNECTED": {"int4"},
    }
    assert found.bytes_by_dtype["int4"] == (_CONV + _DENSE) // 2
    assert found.quantized_weight_fraction == pytest.approx(
        (_CONV + _DENSE) / _WEIGHTS
    )
    assert found.float_weight_fraction_by_operator() == {
        "CONV_2D": 0.0,
        "DEPTHWISE_CONV_2D": 1.0,
        "FULLY_CONNECTED": 0.0,
    }


@pytest.mark.tensorflow
def test_lstm_weights_are_found(converted):
    found = facts.read_facts(converted / "lstm.tflite")
    # Four gates, each with an input and a recurrent kernel.
    assert sum(t.num_elements for t in found.weights) == 4 * (6 * 4 + 6 * 6)
    assert found.delegation.partitions == 0
    assert found.delegation.delegate_error == ""


@pytest.mark.tensorflow
def test_weights_inside_a_loop_are_found(converted):
    found = _read(converted / "while.tflite")
    assert found.num_subgraphs == 3
    (weight,) = found.weights
    assert weight.subgraph > 0
    assert weight.shape == (4, 4)
    assert found.operators[0].name == "WHILE"


@pytest.mark.tensorflow
def test_a_custom_operation_is_a_fact_and_no_error(converted):
    found = facts.read_facts(converted / "custom.tflite")
    assert [(o.name, o.is_custom) for o in found.operators] == [
        ("Betainc", True)
    ]
    assert found.delegation.partitions is None
    assert "Betainc" in found.delegation.delegate_error
    assert "Betainc" in found.delegation.builtin_error


def _mutations(content, count):
    """Yields damaged copies of a file."""
    generator = random.Random(0)
    extremes = (b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0" * 4)
    for i in range(count):
        damaged = bytearray(content)
        position = generator.randrange(8, len(content) - 4)
        if i % 4 == 0:
            del damaged[position:]
        elif i % 4 == 1:
            aligned = position & ~3
            damaged[aligned : aligned + 4] = generator.choice(extremes)
        elif i % 4 == 2:
            for _ in range(8):
                at = generator.randrange(8, len(content))
                damaged[at] = generator.randrange(256)
        else:
            del damaged[position : position + generator.randrange(1, 64)]
        yield bytes(damaged)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["float32", "int8", "while", "outside"])
def test_damaged_files_give_facts_or_one_error(converted, tmp_path, name):
    path = tmp_path / "damaged.tflite"
    messages = []
    survived = 0
    for content in _mutations((converted / f"{name}.tflite").read_bytes(), 300):
        path.write_bytes(content)
        try:
            _read(path).to_json()
            survived += 1
        except errors.ModelError as error:
            messages.append(str(error))
    assert survived
    assert messages
    assert not [message for message in messages if "\n" in message]


@pytest.mark.tensorflow
def test_damaged_files_never_end_the_caller(converted, tmp_path):
    path = tmp_path / "damaged.tflite"
    content = (converted / "float32.tflite").read_bytes()
    for damaged in _mutations(content, 24):
        path.write_bytes(damaged)
        try:
            found = facts.read_facts(path)
        except errors.ModelError:
            continue
        delegation = found.delegation
        assert (delegation.partitions is None) == bool(
            delegation.delegate_error
        )
