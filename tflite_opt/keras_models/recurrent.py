# SPDX-License-Identifier: Apache-2.0
"""Recurrent layers on their way to TFLite.

An LSTM becomes one operation. Every other recurrent layer becomes a loop,
whose body no quantizer handles: the converter crashes on it, LiteRT Quantizer
refuses it. Short loops are therefore unrolled while the model is frozen, and
a GRU's step is written with operations that both quantizers know.
"""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any

# Each step adds about a dozen operations, 3 kB, to the file.
MAX_UNROLLED_STEPS = 64


def fused_and_loops(model: Any) -> tuple[list[Any], list[Any]]:
    """Returns the recurrent layers that TFLite has an operation for, or not.

    Args:
        model: A `tf_keras` model.
    """
    import tf_keras as keras

    layers = [m for m in model.submodules if isinstance(m, keras.layers.RNN)]
    fused = [
        layer
        for layer in layers
        if isinstance(layer, keras.layers.LSTM)
        and getattr(layer, "_could_use_gpu_kernel", False)
    ]
    return fused, [x for x in layers if not any(x is y for y in fused)]


@contextlib.contextmanager
def unrolled(layers: Sequence[Any]) -> Iterator[None]:
    """Unrolls short loops wherever the layers are traced in the body.

    Args:
        layers: Recurrent layers of `tf_keras`; as they were afterwards.
    """
    with contextlib.ExitStack() as stack:
        for layer in layers:
            stack.enter_context(_unrolled(layer))
        yield


@contextlib.contextmanager
def _unrolled(layer: Any) -> Iterator[None]:
    import tf_keras as keras

    settings = {
        name: getattr(layer, name)
        for name in ("unroll", "_could_use_gpu_kernel")
        if hasattr(layer, name)
    }
    cell: Any = getattr(layer, "cell", None)
    gru_cells = [
        x
        for x in getattr(cell, "cells", [cell])
        if type(x) is keras.layers.GRUCell
    ]
    original = layer.call

    def call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        steps = inputs.shape[1]
        if steps is not None and steps <= MAX_UNROLLED_STEPS:
            layer.unroll = True
            # The other implementation has a loop of its own.
            layer._could_use_gpu_kernel = False
        return original(inputs, *args, **kwargs)

    layer.call = call
    for x in gru_cells:
        x.call = functools.partial(_gru_step, x)
    try:
        yield
    finally:
        layer.call = original
        for x in gru_cells:
            # The method of the class is found again.
            del x.call
        for name, value in settings.items():
            setattr(layer, name, value)


def _gru_step(
    cell: Any, inputs: Any, states: Any, training: Any = None
) -> tuple[Any, Any]:
    """Computes what `GRUCell.call` does in inference mode.

    That one computes all gates at once and splits them into listed sizes:
    LiteRT Quantizer does not cover SPLIT_V, and the converter leaves a split
    in float of which one part is not used, as in the first step.

    References:
        Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder
        for Statistical Machine Translation", 2014, with the reset gate before
        or after the product. https://arxiv.org/abs/1406.1078
    """
    import tensorflow as tf

    state = tf.nest.flatten(states)[0]
    own = tf.split(cell.kernel, 3, axis=-1)
    kept = tf.split(cell.recurrent_kernel, 3, axis=-1)
    seen = [tf.matmul(inputs, kernel) for kernel in own]
    if cell.use_bias:
        own_bias = cell.bias[0] if cell.reset_after else cell.bias
        biases = tf.split(own_bias, 3)
        seen = [x + bias for x, bias in zip(seen, biases, strict=True)]
    past = [tf.matmul(state, kernel) for kernel in kept[:2]]
    if cell.reset_after:
        past.append(tf.matmul(state, kept[2]))
        if cell.use_bias:
            biases = tf.split(cell.bias[1], 3)
            past = [x + bias for x, bias in zip(past, biases, strict=True)]
    update = cell.recurrent_activation(seen[0] + past[0])
    reset = cell.recurrent_activation(seen[1] + past[1])
    if cell.reset_after:
        remembered = reset * past[2]
    else:
        remembered = tf.matmul(reset * state, kept[2])
    candidate = cell.activation(seen[2] + remembered)
    new = update * state + (1 - update) * candidate
    return new, [new] if tf.nest.is_nested(states) else new
