# SPDX-License-Identifier: Apache-2.0
"""What Keras 3 computes outside of layers, said in tf_keras.

`x + y`, `keras.ops.mean(x)` and activations that Keras 2 does not have. Where
a layer of tf_keras means the same, it is taken: TF-MOT knows layers only.
"""

from collections.abc import Callable
from typing import Any

# Keras 3's names of activations that tf_keras has under another name. Those
# that both call the same mean the same, but for hard_sigmoid.
_ACTIVATION_NAMES = {"silu": "swish"}
_ACTIVATION_NAMES |= {
    name: name
    for name in (
        *("elu", "exponential", "gelu", "linear", "mish", "relu", "selu"),
        *("sigmoid", "softmax", "softplus", "softsign", "swish", "tanh"),
    )
}


def activation_name(name: str) -> str | None:
    """Returns what tf_keras calls an activation of Keras 3, if it has it."""
    return _ACTIVATION_NAMES.get(name)


def activation(name: str, prefix: str) -> Callable[[Any], Any] | None:
    """Returns an activation of Keras 3 that tf_keras has no name for.

    Args:
        name: Keras 3's name.
        prefix: Of the names of the layers it is made of.

    Returns:
        From a tensor to a tensor; None if it has no counterpart.
    """
    import tf_keras as keras

    layers = keras.layers

    def relu6(x: Any) -> Any:
        return layers.ReLU(6.0, name=f"{prefix}_relu6")(x)

    def hard_sigmoid(x: Any) -> Any:
        # Keras 2 has another function under this name: clip(0.2 x + 0.5).
        shifted = layers.Rescaling(1.0, 3.0, name=f"{prefix}_plus_3")(x)
        return layers.Rescaling(1 / 6, name=f"{prefix}_sixth")(relu6(shifted))

    def hard_silu(x: Any) -> Any:
        return layers.Multiply(name=f"{prefix}_gate")([x, hard_sigmoid(x)])

    def leaky_relu(x: Any) -> Any:
        # The slope of the activation, not of the layer of that name.
        return layers.LeakyReLU(0.2, name=f"{prefix}_leaky_relu")(x)

    return {
        "relu6": relu6,
        "hard_sigmoid": hard_sigmoid,
        "hard_silu": hard_silu,
        "hard_swish": hard_silu,
        "leaky_relu": leaky_relu,
    }.get(name)


def operation(source: Any) -> Callable[..., Any] | None:
    """Returns what an operation of Keras 3's graph does, in tf_keras.

    Args:
        source: A Keras 3 `Operation` that is no layer.

    Returns:
        Takes what the operation was called with, `KerasTensor`s of tf_keras
        among it; None if it has no counterpart.
    """
    name = type(source).__name__
    if name in ("Add", "Subtract", "Multiply", "TrueDivide", "Divide"):
        return lambda first, second: _arithmetic(
            name, first, second, source.name
        )
    table = _functions(source)
    if name in table:
        return table[name]
    for kind in (name, _snake_case(name)):
        if activation_name(kind):
            return _activation_layer(activation_name(kind), source.name)
        composed = activation(kind, source.name)
        if composed is not None:
            return composed
    return None


def _functions(source: Any) -> dict[str, Callable[..., Any]]:
    """Operations without a layer become calls of TensorFlow."""
    import tensorflow as tf

    def reduced(function: Any) -> Callable[..., Any]:
        return lambda x: function(x, axis=source.axis, keepdims=source.keepdims)

    return {
        "Abs": tf.abs,
        "Cast": lambda x: tf.cast(x, source.dtype),
        "Concatenate": lambda xs: tf.concat(xs, axis=source.axis),
        "Exp": tf.exp,
        "ExpandDims": lambda x: tf.expand_dims(x, source.axis),
        "GetItem": lambda x, key: x[key],
        "Log": tf.math.log,
        "Matmul": tf.matmul,
        "Max": reduced(tf.reduce_max),
        "Maximum": tf.maximum,
        "Mean": reduced(tf.reduce_mean),
        "Min": reduced(tf.reduce_min),
        "Minimum": tf.minimum,
        "Negative": tf.negative,
        "Power": tf.pow,
        "Reshape": lambda x: tf.reshape(
            x, [-1 if size is None else size for size in source.newshape]
        ),
        "Sqrt": tf.sqrt,
        "Square": tf.square,
        "Squeeze": lambda x: tf.squeeze(x, source.axis),
        "Stack": lambda xs: tf.stack(xs, axis=source.axis),
        "Sum": reduced(tf.reduce_sum),
        "Transpose": lambda x: tf.transpose(x, source.axes),
    }


def _arithmetic(kind: str, first: Any, second: Any, name: str) -> Any:
    import tf_keras as keras

    layers = keras.layers
    tensors = [x for x in (first, second) if hasattr(x, "_keras_history")]
    merged = {
        "Add": layers.Add,
        "Subtract": layers.Subtract,
        "Multiply": layers.Multiply,
    }.get(kind)
    if len(tensors) == 2 and first.shape == second.shape and merged:
        return merged(name=name)([first, second])
    if len(tensors) == 1 and isinstance(second, (int, float)):
        scale, offset = {
            "Add": (1.0, second),
            "Subtract": (1.0, -second),
            "Multiply": (second, 0.0),
        }.get(kind, (1 / second if second else None, 0.0))
        if scale is not None:
            return layers.Rescaling(scale, offset, name=name)(first)
    return {
        "Add": lambda: first + second,
        "Subtract": lambda: first - second,
        "Multiply": lambda: first * second,
    }.get(kind, lambda: first / second)()


def _activation_layer(kind: str | None, name: str) -> Callable[[Any], Any]:
    import tf_keras as keras

    return keras.layers.Activation(kind, name=name)


def _snake_case(name: str) -> str:
    return "".join(
        f"_{letter.lower()}" if letter.isupper() and index else letter.lower()
        for index, letter in enumerate(name)
    )
