# SPDX-License-Identifier: Apache-2.0
"""The whole model with zeros for channels: what a smaller one must compute."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import surgery, tracing
from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.records import errors

# Sums of other terms are rounded otherwise; a wrong channel is far beyond.
_MAX_DIFFERENCE = 1e-4
# Outputs may all be zero.
_TINY = np.finfo(np.float32).tiny


def verify(
    model: Any,
    groups: groups_lib.Groups,
    keep: Mapping[str, np.ndarray],
    smaller: Any,
    inputs: Sequence[np.ndarray],
) -> None:
    """Checks that channels were removed and nothing else changed.

    Args:
        model: The whole model.
        groups: As for `surgery.shrink`.
        keep: As for `surgery.shrink`.
        smaller: What `surgery.shrink` returned, not yet trained.
        inputs: Some examples, in the order of the model's inputs.

    Raises:
        VerificationError: If an output is not that of the whole model with
            zeros, to 1e-4 of the largest.
    """
    found = difference(masked(model, groups, keep), smaller, inputs)
    if not found <= _MAX_DIFFERENCE:
        raise errors.VerificationError(
            "A model without channels must compute what the whole one does "
            "with zeros for them. Received: outputs that differ by "
            f"{found:.1e} of the largest."
        )


def difference(model: Any, other: Any, inputs: Sequence[np.ndarray]) -> float:
    """Returns how unlike the outputs of two models are.

    Args:
        model: A `tf_keras` model.
        other: With the same inputs and outputs.
        inputs: Some examples, in the order of the model's inputs.

    Returns:
        The largest difference of an output, relative to its largest number.
    """
    given = list(inputs) if len(inputs) > 1 else inputs[0]
    first, second = (
        graph_lib.flat(x(given, training=False)) for x in (model, other)
    )
    return max(
        float(np.abs(a - b).max() / max(np.abs(a).max(), _TINY))
        for a, b in zip(first, second, strict=True)
    )


def masked(
    model: Any,
    groups: groups_lib.Groups,
    keep: Mapping[str, np.ndarray],
) -> Any:
    """Returns the whole model with zeros for the units that are not kept.

    They are zero wherever a layer takes channels in, so behind normalization
    and activation. Layers that normalize over channels leave them out.

    Args:
        model: As for `surgery.shrink`.
        groups: As for `surgery.shrink`.
        keep: As for `surgery.shrink`.

    Returns:
        A functional `tf_keras` model that cannot be saved.

    Raises:
        InputError: If `keep` does not fit the groups.
        ModelError: If the model's layers form no graph.
    """
    trace = groups_lib.trace(model)
    kept = surgery.Kept(trace, groups, keep)
    surgery.remake(trace.graph, lambda call: ({}, _weights(call, kept)))
    normalizing = {call for call, _ in trace.statistics}
    calls = []
    for call in trace.graph.calls:
        for value in trace.consumed.get(call, ()):
            if not kept.mask(value).all():
                calls.append(_zeroing(call, value, kept.mask(value)))
        if call in normalizing and not kept.mask(call.inputs[0]).all():
            call = _normalizing(call, kept.mask(call.inputs[0]))
        calls.append(call)
    trace.graph.calls[:] = calls
    return graph_lib.build(trace.graph)[0]


def _weights(call: graph_lib.Call, kept: surgery.Kept) -> list[np.ndarray]:
    """Returns weights with zeros for attention heads, which are inside."""
    names = tracing.weight_names(call.layer)
    weights = dict(zip(names, call.get_weights(), strict=True))
    kernel = "attention_output/kernel"
    mask = kept.along(call, kernel, 0)
    if mask is not None:
        weights[kernel] = weights[kernel] * mask[:, None, None]
    return list(weights.values())


def _zeroing(
    reader: graph_lib.Call, value: graph_lib.Value, mask: np.ndarray
) -> graph_lib.Call:
    """Returns a call that gives a reader a tensor with zeros."""
    import tf_keras as keras

    zeroed = graph_lib.Value(value.shape, value.dtype)
    reader.redirect(value, zeroed)
    layer = keras.layers.Lambda(lambda x: x * mask.astype(value.dtype))
    return graph_lib.Call(layer, (value,), (zeroed,))


def _normalizing(call: graph_lib.Call, mask: np.ndarray) -> graph_lib.Call:
    """Returns a layer normalization with the statistics of what stays."""
    import tensorflow as tf
    import tf_keras as keras

    stays = mask.astype(np.float32)
    axis = int(np.argmax(mask.shape))
    epsilon = call.layer.epsilon
    weights = call.get_weights()
    gamma = weights.pop(0) if call.layer.scale else np.ones(mask.size)
    beta = weights.pop(0) if call.layer.center else np.zeros(mask.size)
    gamma, beta = (
        np.asarray(x, np.float32).reshape(mask.shape) for x in (gamma, beta)
    )

    def normalize(x: Any) -> Any:
        mean = tf.reduce_sum(x * stays, axis, keepdims=True) / stays.sum()
        squares = tf.square(x - mean) * stays
        variance = tf.reduce_sum(squares, axis, keepdims=True) / stays.sum()
        return (x - mean) * tf.math.rsqrt(variance + epsilon) * gamma + beta

    layer = keras.layers.Lambda(normalize)
    return dataclasses.replace(call, layer=layer, weights=None)
