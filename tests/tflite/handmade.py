# SPDX-License-Identifier: Apache-2.0
"""`.tflite` files built field by field, without a converter."""

import pathlib

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

_TYPES = {
    name.lower(): value
    for name, value in vars(schema.TensorType).items()
    if isinstance(value, int) and not name.startswith("_")
}


class Builder:
    """Collects tensors, operators and signatures of one or more graphs."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.model.metadata = []
        self.model.signatureDefs = []
        self.model.subgraphs = []
        self.graph()

    def graph(self):
        """Starts the next graph."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = [], []
        graph.inputs, graph.outputs = [], []
        self.model.subgraphs.append(graph)
        return graph

    def buffer(self, content):
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self.model.buffers.append(buffer)
        return len(self.model.buffers) - 1

    def tensor(
        self,
        shape,
        dtype="float32",
        *,
        name=None,
        values=None,
        buffer=None,
        signature=None,
        scale=None,
        zero_point=None,
    ):
        """Adds a tensor to the last graph and returns its index."""
        tensor = schema.TensorT()
        tensor.shape, tensor.type = list(shape), _TYPES[dtype]
        tensor.name, tensor.shapeSignature = name, signature
        tensor.buffer = buffer or 0
        if values is not None:
            tensor.buffer = self.buffer(np.asarray(values).tobytes())
        if scale is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = list(scale)
            tensor.quantization.zeroPoint = zero_point or [0] * len(scale)
        graph = self.model.subgraphs[-1]
        graph.tensors.append(tensor)
        return len(graph.tensors) - 1

    def operator(self, name, inputs, outputs, *, version=1, options=None):
        """Adds an operator to the last graph; unknown names are custom."""
        code = schema.OperatorCodeT()
        code.version = version
        builtin = getattr(schema.BuiltinOperator, name, None)
        if builtin is None:
            builtin, code.customCode = schema.BuiltinOperator.CUSTOM, name
        code.builtinCode = builtin
        code.deprecatedBuiltinCode = min(builtin, 127)
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self.model.subgraphs[-1].operators.append(operator)

    def ends(self, inputs, outputs):
        graph = self.model.subgraphs[-1]
        graph.inputs, graph.outputs = list(inputs), list(outputs)

    def signature(self, key, inputs, outputs, graph=0):
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = key, graph
        signature.inputs = [self._map(*pair) for pair in inputs.items()]
        signature.outputs = [self._map(*pair) for pair in outputs.items()]
        self.model.signatureDefs.append(signature)

    def _map(self, name, index):
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, index
        return entry

    def metadata(self, name, content):
        entry = schema.MetadataT()
        entry.name, entry.buffer = name, self.buffer(content)
        self.model.metadata.append(entry)

    def content(self):
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self.model))

    def save(self, path: pathlib.Path) -> pathlib.Path:
        path.write_bytes(self.content())
        return path


WEIGHTS = np.array([[1, 2, 3, 4], [-1, 0, 1, 0], [0, 0, 0, 2]], np.float32)
BIAS = np.array([10, 20, 30], np.float32)


def dense(*, named=True, batch=1):
    """Returns y = x WEIGHTS^T + BIAS with x of shape (batch, 4)."""
    builder = Builder()
    names = ("x", "weights", "bias", "y") if named else (None,) * 4
    x = builder.tensor((batch, 4), name=names[0])
    weights = builder.tensor((3, 4), name=names[1], values=WEIGHTS)
    bias = builder.tensor((3,), name=names[2], values=BIAS)
    y = builder.tensor((batch, 3), name=names[3])
    builder.operator(
        "FULLY_CONNECTED",
        (x, weights, bias),
        (y,),
        options=schema.FullyConnectedOptionsT(),
    )
    builder.ends((x,), (y,))
    return builder


def dense_with_signature():
    """Returns `dense()` with a signature, as calibration needs one."""
    builder = dense()
    builder.signature("serve", {"x": 0}, {"y": 3})
    return builder


def quantize(scale, zero_point, dtype="int8", size=8):
    """Returns a graph that quantizes `size` floats for each example."""
    builder = Builder()
    x = builder.tensor((1, size), name="x")
    y = builder.tensor(
        (1, size), dtype, name="y", scale=[scale], zero_point=[zero_point]
    )
    builder.operator("QUANTIZE", (x,), (y,), options=schema.QuantizeOptionsT())
    builder.ends((x,), (y,))
    return builder
