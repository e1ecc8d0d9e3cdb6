# SPDX-License-Identifier: Apache-2.0
"""Measures, in a Keras model, what was promised of its weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models import kernels, layer_support
from tflite_opt.records import compression, errors
from tflite_opt.tflite import layer_weights, weight_values

# Keras has the output channels last, but for these kernels.
_DEPTHWISE = "depthwise_kernel"


def measure(
    model: Any, promises: Sequence[compression.Promise]
) -> tuple[compression.KeptPromise, ...]:
    """Returns what a model has of each promise.

    Args:
        model: A `tf_keras` model; wrapped layers are looked into.
        promises: About its layers.

    Raises:
        VerificationError: If it has no such layer or weight.
    """
    by_name = dict(layer_support.walk(model))
    for path, layer in tuple(by_name.items()):
        if hasattr(layer, "quantize_config"):
            # A wrapper, maybe under another name than the layer in it.
            prefix = path.removesuffix(layer.name)
            by_name[prefix + layer.layer.name] = layer.layer
    return tuple(
        _measure(promise, weight_of(by_name, promise)) for promise in promises
    )


def weight_of(
    layers: dict[str, Any], promise: compression.Promise
) -> np.ndarray:
    """Returns a promised weight, shape as Keras has it.

    But for the last two dimensions of a transposed convolution: output
    channels come last here.

    Raises:
        VerificationError: If there is no such layer or weight.
    """
    layer = layers.get(promise.layer)
    owner = getattr(layer, "cell", layer)
    variable = getattr(owner, promise.weight, None)
    if variable is None and layer is not None:
        variable = dict(kernels.named_weights(layer)).get(promise.weight)
    if variable is None:
        raise errors.VerificationError(
            f"The model must still have `{promise.weight}` of "
            f"{promise.layer!r}. Received: "
            f"{'no such layer' if layer is None else type(layer).__name__}."
        )
    found = np.asarray(variable)
    if kernels.is_transposed(layer):
        return np.swapaxes(found, -1, -2)
    return found


def channels_first(array: np.ndarray, weight: str) -> np.ndarray:
    """Returns a weight in TFLite's order, shape (output channels, others).

    Args:
        array: As Keras has it; depthwise kernels are `(..., inputs,
            multiplier)`, others have the output channels last.
        weight: Keras' name of it.
    """
    if weight == _DEPTHWISE:
        array = array.reshape(*array.shape[:-2], -1)
    rows = np.moveaxis(array, -1, 0)
    return rows.reshape(len(rows), -1)


def _measure(
    promise: compression.Promise, array: np.ndarray
) -> compression.KeptPromise:
    rows = channels_first(array, promise.weight)
    values = weight_values.describe(rows, 0)
    unfit = None
    if promise.zeros_of_block is not None:
        n, m = promise.zeros_of_block
        unfit = layer_weights.unfit_blocks(rows == 0, n, m)
    return compression.KeptPromise(
        promise=promise,
        where="keras",
        dtype=array.dtype.name,
        num_elements=array.size,
        zero_fraction=values.zeros / array.size,
        unique_values=values.unique_values,
        channel_unique_values=int(values.channel_unique_values.maximum),
        unfit_blocks=unfit,
    )
