# SPDX-License-Identifier: Apache-2.0
"""A `.tflite` of one fully-connected operation, built field by field.

Shows what a machine reaches when nothing but a matrix product is to be done.
"""

import math
from typing import Literal

import numpy as np
from ai_edge_litert import schema_py_generated as schema

Dtype = Literal["float32", "int8"]

_FILE_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
_X, _WEIGHTS, _BIAS, _Y = range(4)
# The operation's version that has the dtype.
_VERSIONS: dict[Dtype, int] = {"float32": 1, "int8": 4}
_INPUT_SCALE = _WEIGHT_SCALE = 1 / 128


def fully_connected(
    dtype: Dtype, *, batch: int, inputs: int, outputs: int
) -> bytes:
    """Returns the content of a `.tflite` that computes `x W^T + b`.

    Args:
        dtype: Of input, weights and output; the bias of int8 is int32.
        batch: Rows of the input.
        inputs: Columns of the input.
        outputs: Columns of the output.
    """
    random = np.random.default_rng(0)
    shape = (outputs, inputs)
    if dtype == "int8":
        weights = random.integers(-127, 128, shape, np.int8)
        bias = np.zeros(outputs, np.int32)
    else:
        weights = random.standard_normal(shape, np.float32)
        bias = np.zeros(outputs, np.float32)
    graph = schema.SubGraphT()
    graph.tensors = [
        _tensor("x", (batch, inputs), dtype, 0, _INPUT_SCALE),
        _tensor("weights", shape, dtype, 1, _WEIGHT_SCALE),
        _tensor(
            "bias", bias.shape, bias.dtype.name, 2, _INPUT_SCALE * _WEIGHT_SCALE
        ),
        _tensor("y", (batch, outputs), dtype, 0, math.sqrt(inputs) / 128),
    ]
    operator = schema.OperatorT()
    operator.opcodeIndex = 0
    operator.inputs, operator.outputs = [_X, _WEIGHTS, _BIAS], [_Y]
    operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    operator.builtinOptions = schema.FullyConnectedOptionsT()
    graph.operators = [operator]
    graph.inputs, graph.outputs = [_X], [_Y]
    code = schema.OperatorCodeT()
    code.builtinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.deprecatedBuiltinCode = code.builtinCode
    code.version = _VERSIONS[dtype]
    model = schema.ModelT()
    model.version = _SCHEMA_VERSION
    model.operatorCodes, model.subgraphs = [code], [graph]
    model.buffers = [_buffer(None), _buffer(weights), _buffer(bias)]
    return _packed(model)


def _tensor(
    name: str, shape: tuple[int, ...], dtype: str, buffer: int, scale: float
) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
    tensor.type = getattr(schema.TensorType, dtype.upper())
    if dtype != "float32":
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = [scale]
        tensor.quantization.zeroPoint = [0]
    return tensor


def _buffer(values: np.ndarray | None) -> schema.BufferT:
    buffer = schema.BufferT()
    if values is not None:
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    return buffer


def _packed(model: schema.ModelT) -> bytes:
    # Comes with the runtime.
    import flatbuffers

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=_FILE_IDENTIFIER)
    return bytes(builder.Output())
