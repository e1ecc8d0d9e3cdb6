# SPDX-License-Identifier: Apache-2.0
"""Layer normalization as the operations that TFLite has for it.

Left whole, the converter gives the mean the coarse scale of the input, on
which the kernels of TFLite differ by a step: a step that the division by the
deviation makes large. Subtracted first, the mean also cancels before rounding.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.keras_models.rewriting import layers as own_layers


def split(graph: graph_lib.Graph) -> None:
    """Makes a row of layers of each `LayerNormalization` of the last axis.

    The last one, which scales and moves the channels, keeps the name. A layer
    that is shared or goes over other axes stays as it is.
    """
    for call in list(graph.calls):
        if call.kind != "LayerNormalization" or graph.is_shared(call):
            continue
        if list(call.layer.axis) != [len(call.output.shape) - 1]:
            continue
        graph.replace(call, _parts(call))
        name = call.layer.name
        graph.renamed[name, "gamma"] = (name, "scale")
        graph.renamed[name, "beta"] = (name, "offset")


def _parts(call: graph_lib.Call) -> list[graph_lib.Call]:
    import tf_keras as keras

    layer, name, x = call.layer, call.layer.name, call.inputs[0]
    own = own_layers.classes()
    calls: list[graph_lib.Call] = []

    def add(part: Any, inputs: Any, channels: int | None) -> graph_lib.Value:
        shape = (*x.shape[:-1], channels)
        output = graph_lib.Value(shape, call.output.dtype)
        calls.append(graph_lib.Call(part, (inputs,), (output,)))
        return output

    channels = x.shape[-1]
    mean = add(own["ChannelMean"](name=f"{name}_mean"), x, 1)
    centered = add(
        keras.layers.Subtract(name=f"{name}_centered"), [x, mean], channels
    )
    square = add(
        keras.layers.Multiply(name=f"{name}_square"),
        [centered, centered],
        channels,
    )
    variance = add(own["ChannelMean"](name=f"{name}_variance"), square, 1)
    factor = add(
        own["InverseRoot"](layer.epsilon, name=f"{name}_factor"), variance, 1
    )
    normal = add(
        keras.layers.Multiply(name=f"{name}_normal"),
        [centered, factor],
        channels,
    )
    scale = own["ChannelScale"](name=name)
    scale.trainable = layer.trainable
    add(scale, normal, channels)
    calls[-1].weights = _scale_and_offset(call)
    calls[-1].outputs = call.outputs
    return calls


def _scale_and_offset(call: graph_lib.Call) -> Sequence[np.ndarray]:
    weights = call.get_weights()
    channels = call.output.shape[-1]
    gamma = weights.pop(0) if call.layer.scale else np.ones(channels)
    beta = weights.pop(0) if call.layer.center else np.zeros(channels)
    return [gamma, beta]
