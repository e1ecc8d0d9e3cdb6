# SPDX-License-Identifier: Apache-2.0
"""`EinsumDense` as TFLite has it: `Dense`, between changes of shape.

The converter rejects a product that has ranges before it and a float kernel;
the kernel of a `Dense` is rounded by channel.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.keras_models.rewriting import layers as own_layers


def einsum_to_dense(graph: graph_lib.Graph) -> None:
    """Makes a `Dense` of each `EinsumDense` over the last axes of its input.

    It keeps the name. A bias along other axes is added behind it. A layer
    that is shared or that computes something else stays as it is.
    """
    for call in list(graph.calls):
        if call.kind != "EinsumDense" or graph.is_shared(call):
            continue
        num_axes = _num_contracted(call.layer.equation)
        shapes = (call.inputs[0].shape[1:], call.output.shape[1:])
        # A reshaping can find out one size.
        if num_axes and all(shape.count(None) < 2 for shape in shapes):
            graph.replace(call, _parts(graph, call, num_axes))


def _num_contracted(equation: str) -> int:
    """Returns how many of the last axes a kernel takes in; 0 for others."""
    operands, output = equation.replace(" ", "").split("->")
    inputs, kernel = operands.split(",")
    for count in range(1, len(kernel)):
        rest = inputs.removesuffix(kernel[:count])
        if rest != inputs and rest and output == rest + kernel[count:]:
            return count
    return 0


def _parts(
    graph: graph_lib.Graph, call: graph_lib.Call, num_axes: int
) -> list[graph_lib.Call]:
    import tf_keras as keras

    layer, name = call.layer, call.layer.name
    kernel, *bias = call.get_weights()
    features = kernel.shape[num_axes:]
    is_of_features = bool(bias) and bias[0].shape == features
    steps = call.inputs[0].shape[1:-num_axes]
    calls: list[graph_lib.Call] = []

    def add(
        part: Any,
        shape: Sequence[int | None],
        weights: Sequence[np.ndarray] | None = None,
    ) -> None:
        x = calls[-1].output if calls else call.inputs[0]
        shape = (call.output.shape[0], *shape)
        output = graph_lib.Value(shape, call.output.dtype)
        calls.append(graph_lib.Call(part, (x,), (output,), {}, weights))

    def reshape(shape: Sequence[int | None], suffix: str) -> None:
        target = [-1 if size is None else size for size in shape]
        add(keras.layers.Reshape(target, name=f"{name}_{suffix}"), shape)

    if num_axes > 1:
        reshape((*steps, math.prod(kernel.shape[:num_axes])), "flat")
    size = math.prod(features)
    weights = [kernel.reshape(-1, size)]
    if is_of_features:
        weights.append(bias[0].reshape(-1))
    dense = keras.layers.Dense(
        size,
        use_bias=is_of_features,
        kernel_regularizer=layer.kernel_regularizer,
        bias_regularizer=layer.bias_regularizer,
        name=name,
    )
    dense.trainable = layer.trainable
    add(dense, (*steps, size), weights)
    if len(features) > 1:
        reshape((*steps, *features), "shaped")
    if bias and not is_of_features:
        added = own_layers.classes()["Bias"](bias[0].shape, name=f"{name}_bias")
        added.trainable = layer.trainable
        add(added, call.output.shape[1:], bias)
        graph.renamed[name, "bias"] = (added.name, "bias")
    if layer.activation is not keras.activations.linear:
        add(
            keras.layers.Activation(
                layer.activation, name=f"{name}_activation"
            ),
            call.output.shape[1:],
        )
    calls[-1].outputs = call.outputs
    return calls
