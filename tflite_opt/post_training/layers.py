# SPDX-License-Identifier: Apache-2.0
"""Convolutions and fully connected layers of a `.tflite` as matrix products.

A layer is g products `patches (p, k) @ matrix (k, o)`: one for a fully
connected layer or a convolution, one for each channel of a depthwise
convolution. The g times o outputs are its channels, in the file's order.
"""

import dataclasses
import functools
import math

import numpy as np

from tflite_opt.records import errors
from tflite_opt.tflite import flatbuffer, operands, schema_layout

# Padding of the schema.
_SAME = 0
_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
}
KINDS = frozenset(_OPTIONS)
_MAX_NAMES = 3


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Layer:
    """One operation with stored weights.

    Attributes:
        position: Of the operation in the main graph.
        kind: TFLite's name of the operation.
        source: Tensor of its input.
        weights: Tensor of its weights.
        bias: Tensor of its bias; -1 without.
        output: Tensor of its output.
        shape: Of the weights.
        stride: Down and across.
        dilation: Down and across.
        is_padded: Whether the output is as large as the input, by stride.
        activation: The schema's number of the fused activation; 0 for none.
    """

    position: int
    kind: str
    source: int
    weights: int
    bias: int
    output: int
    shape: tuple[int, ...]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    is_padded: bool
    activation: int

    @property
    def channel_axis(self) -> int:
        """The dimension of the weights that counts channels."""
        return operands.channel_axis(self.kind, len(self.shape))

    def to_matrices(self, weights: np.ndarray, groups: int) -> np.ndarray:
        """Returns weights as matrices, shape (g, k, o).

        Args:
            weights: Of the layer's shape.
            groups: As `groups_for` returns.
        """
        if self.kind == "DEPTHWISE_CONV_2D":
            matrix = weights.reshape(-1, groups, self.shape[-1] // groups)
            return matrix.transpose(1, 0, 2)
        matrix = weights.reshape(groups, self.shape[0] // groups, -1)
        return matrix.transpose(0, 2, 1)

    def from_matrices(self, matrices: np.ndarray) -> np.ndarray:
        """Does the inverse of `to_matrices`."""
        order = (1, 0, 2) if self.kind == "DEPTHWISE_CONV_2D" else (0, 2, 1)
        return matrices.transpose(order).reshape(self.shape)

    def groups_for(self, inputs: np.ndarray) -> int:
        """Returns g for inputs whose last dimension is that of channels."""
        if self.kind == "DEPTHWISE_CONV_2D":
            return inputs.shape[-1]
        if self.kind == "CONV_2D":
            return inputs.shape[-1] // self.shape[-1]
        return 1

    def mean_patch(self, inputs: np.ndarray) -> np.ndarray:
        """Returns the mean over all patches, shape (g, k).

        The mean of a layer's outputs is this times its matrices: no output
        needs to be computed.

        Args:
            inputs: Real values, shape (n, ...).
        """
        if self.kind == "FULLY_CONNECTED":
            return inputs.reshape(-1, self.shape[1]).mean(
                axis=0, keepdims=True, dtype=np.float64
            )
        windows = self._windows(inputs)
        height, width, channels = windows.shape[3:]
        means = np.empty((height, width, channels))
        for y in range(height):
            for x in range(width):
                # First of each example, in float32: twice as fast.
                of_examples = windows[:, :, :, y, x].mean(axis=(1, 2))
                means[y, x] = of_examples.mean(axis=0, dtype=np.float64)
        groups = self.groups_for(inputs)
        means = means.reshape(height * width, groups, -1)
        return means.transpose(1, 0, 2).reshape(groups, -1)

    def num_patches(self, inputs: np.ndarray) -> int:
        """Returns the number of patches of all examples together."""
        if self.kind == "FULLY_CONNECTED":
            return inputs.size // self.shape[1]
        return math.prod(self._windows(inputs).shape[:3])

    def patches(self, inputs: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Returns some patches, shape (g, p, k).

        Args:
            inputs: Real values, shape (n, ...).
            chosen: Which ones, shape (p,).
        """
        if self.kind == "FULLY_CONNECTED":
            return inputs.reshape(-1, self.shape[1])[chosen][np.newaxis]
        windows = self._windows(inputs)
        groups = self.groups_for(inputs)
        height, width = windows.shape[3:5]
        found = windows[np.unravel_index(chosen, windows.shape[:3])]
        split = found.reshape(len(chosen), height * width, groups, -1)
        rows = np.ascontiguousarray(split.transpose(2, 0, 1, 3))
        return rows.reshape(groups, len(chosen), -1)

    def _windows(self, inputs: np.ndarray) -> np.ndarray:
        """Returns a view of shape (n, rows, columns, height, width, channels).

        Padding stands for real zeros.
        """
        images = inputs.reshape(-1, *inputs.shape[-3:])
        extents = [
            (size - 1) * dilation + 1
            for size, dilation in zip(
                self.shape[1:3], self.dilation, strict=True
            )
        ]
        if self.is_padded:
            before_after = [(0, 0)]
            for size, extent, stride in zip(
                images.shape[1:3], extents, self.stride, strict=True
            ):
                total = max(-(-size // stride) - 1, 0) * stride + extent - size
                total = max(total, 0)
                before_after.append((total // 2, total - total // 2))
            images = np.pad(images, [*before_after, (0, 0)])
        views = np.lib.stride_tricks.sliding_window_view(
            images, tuple(extents), axis=(1, 2)
        )
        down, across = self.stride
        step_down, step_across = self.dilation
        chosen = views[:, ::down, ::across, :, ::step_down, ::step_across]
        return np.moveaxis(chosen, 3, -1)


def find(model: flatbuffer.Model) -> tuple[Layer, ...]:
    """Returns the layers of a file's main graph, in execution order."""
    graph = model.subgraphs[0]
    return tuple(
        _layer(graph, position)
        for position, operator in enumerate(graph.operators)
        if operator.name in KINDS
        and not operator.is_custom
        and model.is_constant(graph.tensors[operator.inputs[1]])
    )


def require_float(model: flatbuffer.Model) -> None:
    """Checks that nothing in a file's main graph is quantized.

    Raises:
        ModelError: If a tensor is, naming the first ones.
    """
    quantized = [t.name for t in model.subgraphs[0].tensors if len(t.scale)]
    if quantized:
        first = ", ".join(map(repr, quantized[:_MAX_NAMES]))
        raise errors.ModelError(
            "What is corrected must come from a float model. Received: "
            f"{len(quantized)} quantized tensors, such as {first}. Give the "
            "model that was quantized."
        )


def _layer(graph: flatbuffer.Subgraph, position: int) -> Layer:
    operator = graph.operators[position]
    read = functools.partial(_option, operator)
    bias = operator.inputs[2] if len(operator.inputs) > 2 else -1
    is_convolution = operator.name != "FULLY_CONNECTED"
    return Layer(
        position=position,
        kind=operator.name,
        source=operator.inputs[0],
        weights=operator.inputs[1],
        bias=bias,
        output=operator.outputs[0],
        shape=graph.tensors[operator.inputs[1]].shape,
        stride=(
            (read("StrideH"), read("StrideW")) if is_convolution else (1, 1)
        ),
        dilation=(
            (read("DilationHFactor", 1), read("DilationWFactor", 1))
            if is_convolution
            else (1, 1)
        ),
        is_padded=(is_convolution and read("Padding", kind="int8") == _SAME),
        activation=read("FusedActivationFunction", kind="int8"),
    )


def _option(
    operator: flatbuffer.Operator,
    name: str,
    default: int = 0,
    kind: str = "int32",
) -> int:
    if operator.options is None:
        return default
    slot = schema_layout.slot(_OPTIONS[operator.name], name)
    return operator.options.scalar(slot, kind, default)


def pair(
    parent: flatbuffer.Model, model: flatbuffer.Model
) -> tuple[tuple[Layer, Layer], ...]:
    """Returns each layer of a float model with what a quantizer made of it.

    Args:
        parent: The float model.
        model: Made from it by a quantizer, which keeps layers in order.

    Raises:
        ModelError: If the parent is quantized itself, or their layers differ
            in number, kind or shape.
    """
    require_float(parent)
    before, after = find(parent), find(model)
    if [(x.kind, x.shape) for x in before] != [
        (x.kind, x.shape) for x in after
    ]:
        raise errors.ModelError(
            "A quantized model must have the layers of its float parent, in "
            f"their order. Received: {len(after)} layers for {len(before)}."
        )
    return tuple(zip(before, after, strict=True))
