# SPDX-License-Identifier: Apache-2.0
import os
import re

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert.tools import flatbuffer_utils

from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.tflite import flatbuffer


def _refused(path, *parts):
    with pytest.raises(errors.ModelError) as caught:
        flatbuffer.read(path)
    message = str(caught.value)
    assert "\n" not in message
    for part in (path.name, *parts):
        assert part in message


def test_refuses_a_missing_file(tmp_path):
    _refused(tmp_path / "nothing.tflite", "No model at")


def test_refuses_a_directory(tmp_path):
    _refused(tmp_path, "no regular file")


def test_refuses_a_pipe_without_waiting_for_it(tmp_path):
    path = tmp_path / "pipe.tflite"
    os.mkfifo(path)
    _refused(path, "no regular file")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "a file of 0 bytes"),
        (b"\x10\0\0", "a file of 3 bytes"),
        (b"PK\x03\x04" + b"\0" * 100, "another kind of file"),
        (b"\0\0\0\0TFL3", "holds no graph"),
        (b"\xff\xff\xff\x7fTFL3", "beyond its end"),
        (b"\x08\0\0\0TFL3" + b"\xff" * 64, "beyond its end"),
    ],
    ids=["empty", "tiny", "zip", "zeros", "far-root", "garbage"],
)
def test_refuses_what_is_no_tflite(tmp_path, content, part):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    _refused(path, part)


def test_refuses_a_path_that_cannot_exist(tmp_path):
    with pytest.raises(errors.ModelError, match="Cannot read the model"):
        flatbuffer.read(tmp_path / "a\0b")


def test_refuses_every_truncation_of_the_structure(tmp_path):
    content = handmade.dense().content()
    path = tmp_path / "model.tflite"
    refused = 0
    for size in range(len(content)):
        path.write_bytes(content[:size])
        try:
            flatbuffer.read(path)
        except errors.ModelError:
            refused += 1
    # Only bytes of the last vector's padding may be missing.
    assert refused >= len(content) - 8


def test_reads_tensors_without_names(tmp_path):
    path = handmade.dense(named=False).save(tmp_path / "model.tflite")
    graph = flatbuffer.read(path).subgraphs[0]
    assert [tensor.name for tensor in graph.tensors] == ["", "", "", ""]
    assert graph.inputs == (0,)
    assert graph.outputs == (3,)


def test_names_that_are_not_utf8_are_replaced(tmp_path):
    content = handmade.dense().content()
    content = content.replace(b"weights", b"\xff\xfeights")
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    graph = flatbuffer.read(path).subgraphs[0]
    assert graph.tensors[1].name == "\ufffd\ufffdights"


def test_reads_constants(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    model = flatbuffer.read(path)
    tensors = model.subgraphs[0].tensors
    found = [model.is_constant(tensor) for tensor in tensors]
    assert found == [False, True, True, False]
    content = model.buffer_bytes(tensors[1].buffer)
    assert content == handmade.WEIGHTS.tobytes()


def test_keeps_custom_operations_and_unknown_codes(tmp_path):
    builder = handmade.Builder()
    x = builder.tensor((1,), name="x")
    y = builder.tensor((1,), name="y")
    builder.operator("MyOperation", (x, -1), (y,), version=7)
    builder.operator("RELU", (y,), (x,))
    builder.model.operatorCodes[1].builtinCode = 9999
    path = builder.save(tmp_path / "model.tflite")
    first, second = flatbuffer.read(path).subgraphs[0].operators
    assert (first.name, first.version, first.is_custom) == (
        "MyOperation",
        7,
        True,
    )
    assert first.inputs == (x, -1)
    assert (second.name, second.is_custom) == ("BUILTIN_9999", False)


def test_operation_codes_of_old_files_are_read(tmp_path):
    builder = handmade.dense()
    builder.model.operatorCodes[0].builtinCode = 0
    path = builder.save(tmp_path / "model.tflite")
    (operator,) = flatbuffer.read(path).subgraphs[0].operators
    assert operator.name == "FULLY_CONNECTED"


def test_shape_signature_and_quantization_are_read(tmp_path):
    builder = handmade.Builder()
    builder.tensor(
        (1, 2),
        "int8",
        signature=(-1, 2),
        scale=[0.5, 0.25],
        zero_point=[1, 2],
    )
    path = builder.save(tmp_path / "model.tflite")
    (tensor,) = flatbuffer.read(path).subgraphs[0].tensors
    assert tensor.shape_signature == (-1, 2)
    assert tensor.dtype == "int8"
    assert tensor.scale.tolist() == [0.5, 0.25]
    assert tensor.zero_point.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda m: setattr(m.subgraphs[0], "inputs", [9]), "tensor 9 of 4"),
        (
            lambda m: setattr(m.subgraphs[0].tensors[0], "buffer", 77),
            "buffer 77 of 3",
        ),
        (
            lambda m: setattr(m.subgraphs[0].operators[0], "opcodeIndex", 5),
            "operation 5 of 1",
        ),
        (
            lambda m: setattr(m.subgraphs[0].operators[0], "inputs", [-2]),
            "tensor -2 of 4",
        ),
        (
            lambda m: setattr(m.subgraphs[0].tensors[0], "shape", [-7]),
            "impossible shape",
        ),
        (
            lambda m: setattr(m.subgraphs[0].tensors[0], "shape", [1] * 65),
            "impossible shape",
        ),
        (lambda m: setattr(m, "subgraphs", []), "no graph"),
    ],
    ids=[
        "input",
        "buffer",
        "operation",
        "operand",
        "negative-shape",
        "rank",
        "no-graph",
    ],
)
def test_refuses_references_to_nothing(tmp_path, change, part):
    builder = handmade.dense()
    change(builder.model)
    _refused(builder.save(tmp_path / "model.tflite"), part)


def test_refuses_a_small_file_that_describes_a_huge_model(tmp_path):
    """1000 graphs that share one list of 1000 tensors, in 8 kB."""
    builder = flatbuffers.Builder()

    def many(item):
        builder.StartVector(4, 1000, 4)
        for _ in range(1000):
            builder.PrependUOffsetTRelative(item)
        return builder.EndVector()

    def table(**fields):
        builder.StartObject(8)
        for number, offset in fields.items():
            builder.PrependUOffsetTRelativeSlot(int(number[1:]), offset, 0)
        return builder.EndObject()

    buffers = many(table())
    graphs = many(table(f0=many(table())))
    root = table(f2=graphs, f4=buffers)
    builder.Finish(root, file_identifier=b"TFL3")
    path = tmp_path / "model.tflite"
    path.write_bytes(bytes(builder.Output()))
    assert path.stat().st_size < 20_000
    _refused(path, "more than a real model can have")


def test_refuses_a_vector_longer_than_the_file(tmp_path):
    content = handmade.dense().content()
    # The vector of weights: its length comes before its bytes.
    start = content.index(handmade.WEIGHTS.tobytes()) - 4
    length = np.array([2**31], np.uint32).tobytes()
    path = tmp_path / "model.tflite"
    path.write_bytes(content[:start] + length + content[start + 4 :])
    _refused(path, "beyond its end")


@pytest.mark.tensorflow
def test_reads_buffers_behind_the_flatbuffer(converted):
    path = converted / "outside.tflite"
    model = flatbuffer.read(path)
    expected = flatbuffer_utils.read_model(str(path))
    content = path.read_bytes()
    last = max(start for start, size in model.buffers if size)
    assert b"buffer_location" in content
    assert last > len(content) // 4
    graph = expected.subgraphs[0]
    for tensor, same in zip(
        model.subgraphs[0].tensors, graph.tensors, strict=True
    ):
        data = expected.buffers[same.buffer].data
        found = model.buffer_bytes(tensor.buffer)
        assert found == (b"" if data is None else bytes(data))


@pytest.mark.tensorflow
def test_refuses_buffers_beyond_the_end(converted, tmp_path):
    content = (converted / "outside.tflite").read_bytes()
    path = tmp_path / "model.tflite"
    path.write_bytes(content[:-64])
    _refused(path, "beyond its end")


@pytest.mark.tensorflow
def test_reads_several_graphs(converted):
    model = flatbuffer.read(converted / "while.tflite")
    assert len(model.subgraphs) == 3
    names = [[o.name for o in graph.operators] for graph in model.subgraphs]
    assert names[0] == ["WHILE"]
    assert "FULLY_CONNECTED" in names[1] + names[2]
    (signature,) = model.signatures
    assert re.fullmatch("serving_default", signature.key)
    assert [name for name, _ in signature.inputs] == ["x"]


def test_names_are_those_of_the_schema_alone():
    class Enumeration:
        """Has a line number of its own, as classes since Python 3.13."""

        __firstlineno__ = 1
        FIRST = 1

    assert flatbuffer._names(Enumeration) == {1: "FIRST"}
