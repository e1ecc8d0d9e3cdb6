# SPDX-License-Identifier: Apache-2.0
import numpy as np

from tests.post_training import models
from tflite_opt.tflite import flatbuffer, interpreter, splitting


def test_takes_out_an_operation_with_its_constants(tmp_path):
    path = models.separable(tmp_path / "net.tflite")
    graph = flatbuffer.read(path).subgraphs[0]
    first = graph.operators[0]
    alone = tmp_path / "first.tflite"
    alone.write_bytes(
        splitting.Splitter(path).extract(
            range(1), [first.inputs[0]], first.outputs
        )
    )
    found = flatbuffer.read(alone).subgraphs[0]
    assert [operator.name for operator in found.operators] == ["CONV_2D"]
    assert len(found.tensors) == 4
    output = found.tensors[found.outputs[0]]
    assert output.shape == graph.tensors[first.outputs[0]].shape
    shape = graph.tensors[first.inputs[0]].shape
    (values,) = interpreter.predict(alone, {"x": np.ones(shape, "f")}).values()
    assert np.abs(values).max() > 0


def test_constants_can_be_replaced(tmp_path):
    path = models.separable(tmp_path / "net.tflite")
    graph = flatbuffer.read(path).subgraphs[0]
    first = graph.operators[0]
    source, weights, bias = first.inputs
    size = int(np.prod(graph.tensors[weights].shape))
    replaced = {
        weights: np.zeros(size, np.float32).tobytes(),
        bias: np.full(graph.tensors[bias].shape, 2, np.float32).tobytes(),
    }
    alone = tmp_path / "first.tflite"
    alone.write_bytes(
        splitting.Splitter(path).extract(
            range(1), [source], first.outputs, replaced
        )
    )
    inputs = {"x": np.ones(graph.tensors[source].shape, np.float32)}
    (values,) = interpreter.predict(alone, inputs).values()
    assert (values == 2).all()
