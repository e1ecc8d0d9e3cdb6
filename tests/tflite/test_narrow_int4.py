# SPDX-License-Identifier: Apache-2.0
import shutil

import numpy as np
import pytest

from tests.tflite import handmade
from tflite_opt.conversion import litert_quantizer
from tflite_opt.records import conversion, files
from tflite_opt.tflite import flatbuffer, interpreter, narrow_int4


def _dense(tmp_path, weights, operator="FULLY_CONNECTED"):
    builder = handmade.Builder()
    data = builder.tensor((1, 4))
    packed = np.array(weights, np.uint8)
    table = builder.tensor((1, 4), "int4", values=packed, scale=[0.5])
    result = builder.tensor((1, 1))
    builder.operator(operator, (data, table, -1), (result,))
    return builder.save(tmp_path / "model.tflite")


def _weights(path):
    model = flatbuffer.read(path)
    graph = model.subgraphs[0]
    tensor = graph.tensors[graph.operators[0].inputs[1]]
    return list(model.buffer_bytes(tensor.buffer))


def test_replaces_both_halves_of_a_byte_and_nothing_else(tmp_path):
    path = _dense(tmp_path, [0x88, 0x78])
    assert narrow_int4.narrow(path) == 3
    assert _weights(path) == [0x99, 0x79]


def test_leaves_a_file_without_such_weights_alone(tmp_path):
    path = _dense(tmp_path, [0x97, 0x08 ^ 0x0F])
    before = path.stat().st_mtime_ns
    assert narrow_int4.narrow(path) == 0
    assert path.stat().st_mtime_ns == before


def test_leaves_convolutions_alone(tmp_path):
    path = _dense(tmp_path, [0x88, 0x88], operator="CONV_2D")
    assert narrow_int4.narrow(path) == 0


def _outputs(path, delegate):
    inputs = np.random.default_rng(0).uniform(0, 1, (50, 8, 8, 1))
    model = interpreter.load(path, delegate=delegate)
    outputs = model.run({"image": inputs.astype(np.float32)})
    return next(iter(outputs.values()))


@pytest.fixture
def with_minus_eight(finished_run, tmp_path):
    """The sample model with -8 in the int4 weights of its last layer."""
    rule = conversion.QuantizerRule(
        operation="FULLY_CONNECTED", mode="dynamic", weight_bits=4
    )
    path = tmp_path / "int4.tflite"
    source = finished_run.path("float", "model.tflite")
    path.write_bytes(litert_quantizer.quantize(source, [rule], None))
    model = flatbuffer.read(path)
    content = bytearray(model.content)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            if tensor.dtype == "int4":
                start, size = model.buffers[tensor.buffer]
                pairs = np.frombuffer(content, np.uint8, size, start)
                pairs[::16] = 0x88
    files.write_bytes(path, bytes(content))
    return path


def test_the_runtimes_agree_only_without_minus_eight(
    with_minus_eight, tmp_path
):
    narrowed = tmp_path / "narrowed.tflite"
    shutil.copyfile(with_minus_eight, narrowed)
    assert narrow_int4.narrow(narrowed) > 0

    def distance(path):
        return abs(_outputs(path, "xnnpack") - _outputs(path, "none")).max()

    # When the first distance is small too, the builtin kernel was mended and
    # this module can go.
    assert distance(with_minus_eight) > 0.1
    assert distance(narrowed) < 0.02
