# SPDX-License-Identifier: Apache-2.0
"""Small files for rules, built field by field."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade

_SCALES = {"int8": 0.1, "uint8": 0.1, "int16": 0.001, "int4": 0.1}


class Net(handmade.Builder):
    """A builder that knows the shapes and scales of a chain of layers."""

    def data(self, shape, dtype="float32"):
        scale = _SCALES.get(dtype)
        return self.tensor(shape, dtype, scale=scale and [scale])

    def weight(self, shape, dtype="float32", values=None):
        if values is None:
            count = int(np.prod(shape))
            size = count // 2 if dtype == "int4" else count
            kind = np.float32 if dtype == "float32" else np.int8
            values = (np.arange(size) % 7 + 1).astype(kind)
        scale = _SCALES.get(dtype)
        return self.tensor(shape, dtype, values=values, scale=scale and [scale])

    def convolution(
        self, source, result, weight, *, stride=1, same=True, depthwise=False
    ):
        kind = "DepthwiseConv2DOptionsT" if depthwise else "Conv2DOptionsT"
        options = getattr(schema, kind)()
        options.padding = int(not same)
        options.strideW = options.strideH = stride
        if depthwise:
            options.depthMultiplier = 1
        name = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        self.operator(name, (source, weight, -1), (result,), options=options)


def single(name, *, inputs="float32", outputs=None, weight=None):
    """One operation between an input and an output."""
    net = Net()
    x = net.data((1, 4), inputs)
    y = net.data((1, 4), outputs or inputs)
    operands = (x,) if weight is None else (x, net.weight((4, 4), weight), -1)
    net.operator(name, operands, (y,))
    net.ends((x,), (y,))
    return net


def chain(*steps, inputs="float32"):
    """Operations one after another; a step is a name and its dtype after."""
    net = Net()
    first = last = net.data((1, 4), inputs)
    for name, dtype, *weight in steps:
        result = net.data((1, 4), dtype)
        operands = (last,)
        if weight:
            operands += (net.weight((4, 4), weight[0]), -1)
        net.operator(name, operands, (result,))
        last = result
    net.ends((first,), (last,))
    return net


def convolution(data, weight, *, depthwise=False):
    """One convolution."""
    net = Net()
    x, y = net.data((1, 4, 4, 2), data), net.data((1, 4, 4, 2), data)
    shape = (1, 3, 3, 2) if depthwise else (2, 3, 3, 2)
    net.convolution(x, y, net.weight(shape, weight), depthwise=depthwise)
    net.ends((x,), (y,))
    return net


def with_signature(net):
    """Adds a signature for the first and last tensor."""
    graph = net.model.subgraphs[0]
    net.signature("serve", {"x": graph.inputs[0]}, {"y": graph.outputs[0]})
    return net


def stored_twice(*, differ):
    """Two fully connected layers with the same or other weights."""
    net = Net()
    x, h, y = (net.data((1, 8)) for _ in range(3))
    values = np.arange(64, dtype=np.float32)
    first = net.weight((8, 8), values=values)
    second = net.weight((8, 8), values=values + differ)
    net.operator("FULLY_CONNECTED", (x, first, -1), (h,))
    net.operator("FULLY_CONNECTED", (h, second, -1), (y,))
    net.ends((x,), (y,))
    return net


def with_zeros(fraction):
    """A layer of which a fraction of the weights are zeros."""
    net = Net()
    x, y = net.data((1, 64)), net.data((1, 64))
    values = np.ones(64 * 64, np.float32)
    values[: int(fraction * values.size)] = 0
    weight = net.weight((64, 64), values=values)
    net.operator("FULLY_CONNECTED", (x, weight, -1), (y,))
    net.ends((x,), (y,))
    return net


def _sparse_weight(net, outputs, channels, zeros):
    """A 1x1 weight in sparse encoding behind DENSIFY, or its dense form."""
    values = np.ones((outputs, channels), np.float32)
    values[:, : int(zeros * channels)] = 0
    kept = channels - int(zeros * channels)
    shape = (outputs, 1, 1, channels)
    tensor = net.weight(shape, values=np.ones(outputs * kept, np.float32))
    sparsity = schema.SparsityParametersT()
    sparsity.traversalOrder = [0, 1, 2, 3]
    sparsity.dimMetadata = []
    for size in shape[:3]:
        dense = schema.DimensionMetadataT()
        dense.format, dense.denseSize = schema.DimensionType.DENSE, size
        sparsity.dimMetadata.append(dense)
    rows = schema.DimensionMetadataT()
    rows.format = schema.DimensionType.SPARSE_CSR
    segments, indices = schema.Int32VectorT(), schema.Int32VectorT()
    segments.values = [kept * i for i in range(outputs + 1)]
    indices.values = list(range(channels - kept, channels)) * outputs
    rows.arraySegmentsType = schema.SparseIndexVector.Int32Vector
    rows.arrayIndicesType = schema.SparseIndexVector.Int32Vector
    rows.arraySegments, rows.arrayIndices = segments, indices
    sparsity.dimMetadata.append(rows)
    net.model.subgraphs[0].tensors[tensor].sparsity = sparsity
    dense = net.data(shape)
    net.operator(
        "DENSIFY", (tensor,), (dense,), options=schema.DensifyOptionsT()
    )
    return dense


def mobile(*, channels=3, pad=True, zeros=0.9, pooled=True, encoded=True):
    """Stem, depthwise, sparse 1x1, pooling, classifier."""
    net = Net()
    x = net.data((1, 16, 16, channels))
    source = x
    if pad:
        amounts = net.tensor(
            (4, 2),
            "int32",
            values=np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32),
        )
        source = net.data((1, 18, 18, channels))
        net.operator("PAD", (x, amounts), (source,))
    stem = net.data((1, 8, 8, 8))
    net.convolution(
        source, stem, net.weight((8, 3, 3, channels)), stride=2, same=not pad
    )
    depthwise = net.data((1, 8, 8, 8))
    net.convolution(stem, depthwise, net.weight((1, 3, 3, 8)), depthwise=True)
    if encoded:
        weight = _sparse_weight(net, 16, 8, zeros)
    else:
        values = np.ones((16, 8), np.float32)
        values[:, : int(zeros * 8)] = 0
        weight = net.weight((16, 1, 1, 8), values=values)
    pointwise = net.data((1, 8, 8, 16))
    net.convolution(depthwise, pointwise, weight)
    last = pointwise
    if pooled:
        axes = net.tensor((2,), "int32", values=np.array([1, 2], np.int32))
        last = net.data((1, 16))
        net.operator("MEAN", (pointwise, axes), (last,))
    y = net.data((1, 10))
    net.operator("FULLY_CONNECTED", (last, net.weight((10, 16)), -1), (y,))
    net.ends((x,), (y,))
    return net
