# SPDX-License-Identifier: Apache-2.0
"""Scales and offsets of channels go into the layer before, or become one.

Batch normalization, `Rescaling`, `Normalization` and `LayerScale` multiply and
add by channel when a model is used. Behind a convolution or `Dense` they
vanish in its weights. Elsewhere a 1x1 depthwise convolution does it: TFLite
has one operation for it, with a scale of its own for each channel, where a
multiplication would round all channels with one.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models.rewriting import activations
from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.keras_models.rewriting import layers as own_layers

# The axes of a kernel that an output channel is chosen by.
KERNEL_CHANNEL_AXES = {
    "Conv1D": (2,),
    "Conv2D": (3,),
    "Conv3D": (4,),
    "Conv2DTranspose": (2,),
    "Dense": (-1,),
    "DepthwiseConv1D": (1, 2),
    "DepthwiseConv2D": (2, 3),
}
_LEARNED = ("BatchNormalization", "LayerScale")


@dataclasses.dataclass(frozen=True)
class Affine:
    """`scale * x + offset`, each of shape `(channels,)`, float64."""

    scale: np.ndarray
    offset: np.ndarray

    def after(self, first: "Affine") -> "Affine":
        """Returns what this does to the result of another."""
        return Affine(
            self.scale * first.scale, self.scale * first.offset + self.offset
        )

    @property
    def is_one_scale(self) -> bool:
        """Whether a single number is multiplied and none added."""
        return bool(
            np.ptp(self.scale) == 0 and np.abs(self.offset).max(initial=0) == 0
        )


def fold(graph: graph_lib.Graph) -> None:
    """Removes scales and offsets of channels as calls of their own.

    One scale for a whole tensor stays a `Rescaling`, if nothing takes it in.
    """
    for call in list(graph.calls):
        affine = affine_of(call)
        if affine is None or graph.is_shared(call):
            continue
        before = _only_input_of(graph, call)
        first = affine_of(before) if before is not None else None
        if before is not None and first is not None:
            graph.remove(before)
            affine = affine.after(first)
            before = _only_input_of(graph, call)
        if before is not None and _takes_in(graph, before):
            _fold_into(before, affine)
            graph.remove(call)
        elif not affine.is_one_scale:
            _stand_alone(call, affine)
        elif call.kind != "Rescaling":
            _as_rescaling(call, affine)


def affine_of(call: graph_lib.Call) -> Affine | None:
    """Returns what a call does to channels if it does nothing else."""
    shape = call.output.shape
    if call.output.dtype != "float32" or not call.inputs or not shape[-1]:
        return None
    if call.inputs[0].dtype != "float32" or len(shape) < 2:
        return None
    channels = shape[-1]
    found = {
        "BatchNormalization": _batch_normalization,
        "LayerScale": lambda call: (call.get_weights()[0], 0.0),
        "Normalization": _normalization,
        "Rescaling": lambda call: (call.layer.scale, call.layer.offset),
    }.get(call.kind, lambda _: None)(call)
    if found is None or any(np.size(x) not in (1, channels) for x in found):
        return None
    scale, offset = (
        np.broadcast_to(np.asarray(x, np.float64).reshape(-1), (channels,))
        for x in found
    )
    return Affine(scale, offset)


def _batch_normalization(call: graph_lib.Call) -> tuple[Any, Any] | None:
    layer, rank = call.layer, len(call.output.shape)
    axes = layer.axis if isinstance(layer.axis, Sequence) else [layer.axis]
    if [axis % rank for axis in axes] != [rank - 1]:
        return None
    weights = [np.asarray(w, np.float64) for w in call.get_weights()]
    gamma = weights.pop(0) if layer.scale else 1.0
    beta = weights.pop(0) if layer.center else 0.0
    mean, variance = weights
    scale = gamma / np.sqrt(variance + layer.epsilon)
    return scale, beta - mean * scale


def _normalization(call: graph_lib.Call) -> tuple[Any, Any] | None:
    layer, rank = call.layer, len(call.output.shape)
    axes = [axis % rank for axis in layer.axis]
    if axes not in ([], [rank - 1]):
        return None
    mean, variance = (
        np.asarray(x, np.float64).reshape(-1)
        for x in (layer.mean, layer.variance)
    )
    # Keras divides by this much at least.
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    if layer.invert:
        return deviation, mean
    return 1 / deviation, -mean / deviation


def _only_input_of(
    graph: graph_lib.Graph, call: graph_lib.Call
) -> graph_lib.Call | None:
    """Returns what comes before a call, if nothing else reads it."""
    before = graph.producer(call.inputs[0])
    if before is None or graph.only_reader(before.output) is None:
        return None
    return None if graph.is_shared(before) else before


def _takes_in(graph: graph_lib.Graph, call: graph_lib.Call) -> bool:
    import tf_keras as keras

    return (
        call.kind in KERNEL_CHANNEL_AXES
        and call.layer.activation is keras.activations.linear
    )


def _fold_into(call: graph_lib.Call, affine: Affine) -> None:
    kernel, *rest = call.get_weights()
    bias = rest[0] if rest else 0.0
    call.layer = activations.relayer(call.layer, use_bias=True)
    call.weights = [
        kernel * for_kernel(call.kind, kernel, affine.scale),
        _unlike(bias * affine.scale + affine.offset),
    ]


def _unlike(biases: np.ndarray) -> np.ndarray:
    """Returns biases of which one is larger by a bit, if all are the same.

    The converter of TensorFlow 2.21 quantizes biases that are all the same
    with the scale of the first channel, whatever those of the others are.
    """
    biases = biases.astype(np.float32)
    if len(biases) > 1 and biases[0] and np.ptp(biases) == 0:
        biases[0] = np.nextafter(biases[0], np.float32(np.inf))
    return biases


def for_kernel(kind: str, kernel: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Shapes one value for each output channel as a factor of a kernel.

    Args:
        kind: The layer's class, of `KERNEL_CHANNEL_AXES`.
        kernel: Of the layer.
        values: Shape `(output_channels,)`.
    """
    shape = [1] * kernel.ndim
    for axis in KERNEL_CHANNEL_AXES[kind]:
        shape[axis] = kernel.shape[axis]
    return values.reshape(shape)


def _stand_alone(call: graph_lib.Call, affine: Affine) -> None:
    import tf_keras as keras

    name = call.layer.name
    is_learned = call.kind in _LEARNED and call.layer.trainable
    if len(call.output.shape) == 4:
        call.weights = [
            affine.scale.reshape(1, 1, -1, 1),
            _unlike(affine.offset),
        ]
        call.layer = keras.layers.DepthwiseConv2D(1, name=name)
    else:
        call.weights = [affine.scale, affine.offset]
        call.layer = own_layers.classes()["ChannelScale"](name=name)
    call.layer.trainable = is_learned


def _as_rescaling(call: graph_lib.Call, affine: Affine) -> None:
    import tf_keras as keras

    call.weights = None
    call.layer = keras.layers.Rescaling(
        float(affine.scale[0]), name=call.layer.name
    )
