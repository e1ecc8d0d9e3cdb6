# SPDX-License-Identifier: Apache-2.0
"""Convolutions as TFLite has them: separable ones are two of its operations.

A grouped one with a group for each input channel is a depthwise one, for which
there are faster kernels.
"""

import dataclasses
from typing import Any

from tflite_opt.keras_models.rewriting import graph as graph_lib


def split_separable(graph: graph_lib.Graph) -> None:
    """Makes a depthwise and a pointwise convolution of a separable one.

    The pointwise one keeps the name.
    """
    import tf_keras as keras

    layers = keras.layers
    parts = {
        "SeparableConv1D": (layers.DepthwiseConv1D, layers.Conv1D),
        "SeparableConv2D": (layers.DepthwiseConv2D, layers.Conv2D),
    }
    for call in list(graph.calls):
        if call.kind not in parts or graph.is_shared(call):
            continue
        depthwise_class, pointwise_class = parts[call.kind]
        layer = call.layer
        depthwise, pointwise, *bias = call.get_weights()
        middle = graph_lib.Value(
            (*call.output.shape[:-1], pointwise.shape[-2]), call.output.dtype
        )
        first = depthwise_class(
            layer.kernel_size,
            strides=layer.strides,
            padding=layer.padding,
            depth_multiplier=layer.depth_multiplier,
            dilation_rate=layer.dilation_rate,
            use_bias=False,
            name=f"{layer.name}_depthwise",
        )
        second = pointwise_class(
            layer.filters,
            1,
            activation=layer.activation,
            use_bias=layer.use_bias,
            name=layer.name,
        )
        first.trainable = second.trainable = layer.trainable
        graph.replace(
            call,
            [
                dataclasses.replace(
                    call, layer=first, outputs=(middle,), weights=[depthwise]
                ),
                graph_lib.Call(
                    second,
                    (middle,),
                    call.outputs,
                    weights=[pointwise, *bias],
                ),
            ],
        )
        old, new = (layer.name, "depthwise_kernel"), (first.name,)
        graph.renamed[old] = (*new, "depthwise_kernel")
        graph.renamed[layer.name, "pointwise_kernel"] = (layer.name, "kernel")


def grouped_to_depthwise(graph: graph_lib.Graph) -> None:
    """Makes depthwise convolutions of those with a group for each channel."""
    import tf_keras as keras

    for call in graph.calls:
        layer = call.layer
        if call.kind != "Conv2D" or graph.is_shared(call):
            continue
        channels = call.inputs[0].shape[-1]
        if layer.groups == 1 or layer.groups != channels:
            continue
        kernel, *bias = call.get_weights()
        multiplier = layer.filters // channels
        call.weights = [
            kernel.reshape((*kernel.shape[:2], channels, multiplier)),
            *bias,
        ]
        call.layer = keras.layers.DepthwiseConv2D(
            layer.kernel_size,
            **_common(layer),
            depth_multiplier=multiplier,
        )
        call.layer.trainable = layer.trainable
        new = (layer.name, "depthwise_kernel")
        graph.renamed[layer.name, "kernel"] = new


def _common(layer: Any) -> dict[str, Any]:
    names = ("strides", "padding", "dilation_rate", "activation", "use_bias")
    return {key: getattr(layer, key) for key in names} | {"name": layer.name}
