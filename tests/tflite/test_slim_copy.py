# SPDX-License-Identifier: Apache-2.0
import struct

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import fields, handmade, slimmable
from tflite_opt.tflite import flatbuffer, slimming


def _save(builder, tmp_path):
    return builder.save(tmp_path / "model.tflite")


def _pair_of_constants(scales=(None, None), shapes=((4, 4), (4, 4))):
    builder = handmade.Builder()
    values = np.arange(16, dtype=np.int8).tobytes() * 4
    for scale, shape in zip(scales, shapes, strict=True):
        dtype = "float32" if scale is None else "int8"
        builder.tensor(
            shape if scale is None else (8, 8),
            dtype,
            buffer=builder.buffer(values),
            scale=scale and [scale],
        )
    return builder, values


def test_stores_equal_constants_once(tmp_path):
    builder, values = _pair_of_constants()
    content = slimmable.slim_content(_save(builder, tmp_path))
    assert content.count(values) == 1


@pytest.mark.parametrize(
    ("scales", "shapes"),
    [
        ((0.5, 0.25), ((8, 8), (8, 8))),
        ((0.5, 0.5), ((8, 8), (8, 8))),
        ((None, None), ((4, 4), (2, 8))),
    ],
    ids=["other-scale", "equal-scale", "other-shape"],
)
def test_keeps_constants_apart_that_kernels_pack(tmp_path, scales, shapes):
    """Delegates find packed weights by their address."""
    builder, values = _pair_of_constants(scales, shapes)
    slimmed = slimming.slim(_save(builder, tmp_path))
    assert slimmed.content.count(values) == 2


def test_keeps_one_zero_point_for_each_channel(tmp_path):
    """The runtime refuses a single one for several scales."""
    builder = handmade.Builder()
    for _ in range(2):
        builder.tensor((8,), "int8", scale=[0.5] * 8, zero_point=[0] * 8)
    path = _save(builder, tmp_path)
    after = slimmable.read(slimmable.slim_content(path), tmp_path)
    for tensor in after.subgraphs[0].tensors:
        assert tensor.zero_point.tolist() == [0] * 8
        assert tensor.scale.tolist() == [0.5] * 8


@pytest.mark.parametrize("scale", [[0.5], None], ids=["scaled", "calibrated"])
def test_ranges_go_when_they_became_scales(tmp_path, scale):
    builder = handmade.Builder()
    builder.tensor((8,), "int8", name="x", scale=[0.5])
    quantization = builder.model.subgraphs[0].tensors[0].quantization
    quantization.scale, quantization.min, quantization.max = scale, [-1], [1]
    content = slimmable.slim_content(_save(builder, tmp_path))
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    found = model.subgraphs[0].tensors[0].quantization
    if scale:
        assert found.min is None
    else:
        assert found.min.tolist() == [-1.0]
        assert found.max.tolist() == [1.0]


def test_custom_operations_keep_their_options_and_buffer_numbers(tmp_path):
    builder = handmade.dense()
    builder.buffer(b"perhaps named by the options below")
    builder.operator("Mine", (3,), (3,))
    operator = builder.model.subgraphs[0].operators[1]
    operator.customOptions = np.arange(40, dtype=np.uint8)
    path = _save(builder, tmp_path)
    before = flatbuffer.read(path)
    content = slimmable.slim_content(path)
    assert fields.of(content) == fields.of(path.read_bytes())
    after = slimmable.read(content, tmp_path)
    assert [after.buffer_bytes(i) for i in range(len(after.buffers))] == [
        before.buffer_bytes(i) for i in range(len(before.buffers))
    ]
    assert content.index(bytes(range(40))) % 8 == 0


def test_keeps_what_is_rare(tmp_path):
    builder = handmade.dense()
    model, graph = builder.model, builder.model.subgraphs[0]
    model.description, graph.name = "from a test", "main"
    graph.debugMetadataIndex = 3
    builder.model.operatorCodes[0].version = 7
    group, outside = schema.ExternalBufferGroupT(), schema.ExternalBufferT()
    group.name, outside.id, outside.length = "weights.bin", 5, 16
    outside.packing = "unpacked"
    model.externalBufferGroups, model.externalBuffers = [group], [outside]
    graph.tensors[1].externalBuffer = 5
    variant = schema.VariantSubTypeT()
    variant.shape, variant.type, variant.hasRank = [2, 3], 2, True
    graph.tensors[3].variantTensors = [variant]
    graph.tensors[3].shapeSignature = [-1, 3]
    graph.operators[0].debugMetadataIndex = 4
    builder.metadata("model_control_dependencies", b"\1\2\3\4")
    builder.signature("classify", {"x": 0}, {"y": 3})
    path = _save(builder, tmp_path)
    content = slimmable.slim_content(path)
    assert fields.of(content) == fields.of(path.read_bytes())
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    assert model.description == b"from a test"
    assert model.externalBuffers[0].packing == b"unpacked"
    assert model.subgraphs[0].tensors[3].variantTensors[0].type == 2


def test_leaves_options_of_a_newer_runtime_alone(tmp_path):
    content = bytearray(handmade.dense().content())
    table = schema.Model.GetRootAs(content, 0).Subgraphs(0).Operators(0)._tab
    # The fourth field says of which operation the options are.
    content[table.Pos + table.Offset(4 + 2 * 3)] = 250
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    slimmed = slimming.slim(path)
    assert "BuiltinOptions 250" in slimmed.unchanged_because


def test_leaves_fields_of_a_newer_schema_alone(tmp_path):
    builder = handmade.dense()
    options = schema.ResizeBilinearOptionsT()
    options.alignCorners = True
    builder.operator("RESIZE_BILINEAR", (0, 1), (3,), options=options)
    content = bytearray(builder.content())
    operator = schema.Model.GetRootAs(content, 0).Subgraphs(0).Operators(1)
    table = operator.BuiltinOptions()
    (distance,) = struct.unpack_from("<i", content, table.Pos)
    # Its first field is in no schema any more.
    struct.pack_into("<H", content, table.Pos - distance + 4, 4)
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    slimmed = slimming.slim(path)
    assert (
        "ResizeBilinearOptions table has a field 0" in slimmed.unchanged_because
    )


def test_parts_that_overlap_are_left_alone(tmp_path):
    """Many long vectors in the same bytes would make a huge file."""
    builder = handmade.Builder()
    for size in range(200, 230):
        builder.tensor((size,), "int8", values=np.zeros(size, np.int8))
    content = bytearray(builder.content())
    root = schema.Model.GetRootAs(content, 0)
    for index in range(1, root.BuffersLength()):
        table = root.Buffers(index)._tab
        start = table.Vector(table.Offset(4)) - 4
        # Each claims everything up to the end of the file.
        length = np.array(len(content) - start - 4, "<u4").tobytes()
        content[start : start + 4] = length
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    assert slimming.slim(path).unchanged_because == "its parts overlap"
