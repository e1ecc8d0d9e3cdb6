# SPDX-License-Identifier: Apache-2.0
"""Layers that Keras lacks and TFLite has as one operation.

Keras needs their classes to load a model that was rewritten.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any


@functools.cache
def classes() -> Mapping[str, type[Any]]:
    """Returns the layers by the names that files have for them."""
    import tensorflow as tf
    import tf_keras as keras

    class HardSwish(keras.layers.Layer):
        """`x * ReLU6(x + 3) / 6`."""

        def call(self, inputs: Any) -> Any:
            return inputs * (tf.nn.relu6(inputs + 3.0) * (1 / 6))

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    class ChannelScale(keras.layers.Layer):
        """`scale * x + offset`, one of each for each channel."""

        def build(self, input_shape: Any) -> None:
            shape = (input_shape[-1],)
            self.scale = self.add_weight("scale", shape, initializer="ones")
            self.offset = self.add_weight("offset", shape, initializer="zeros")

        def call(self, inputs: Any) -> Any:
            return inputs * self.scale + self.offset

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    class Bias(keras.layers.Layer):
        """Adds numbers that differ along any axes but the batch.

        Args:
            shape: Of the numbers; broadcast from the last axis on.
        """

        def __init__(self, shape: Sequence[int], **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.shape = tuple(shape)

        def build(self, input_shape: Any) -> None:
            self.bias = self.add_weight("bias", self.shape)

        def call(self, inputs: Any) -> Any:
            return inputs + self.bias

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "shape": list(self.shape)}

    class MatrixProduct(keras.layers.Layer):
        """Product of the last two axes of two tensors.

        Args:
            transpose_second: Whether the rows of the second tensor are
                multiplied, not its columns.
        """

        def __init__(
            self, transpose_second: bool = False, **kwargs: Any
        ) -> None:
            super().__init__(**kwargs)
            self.transpose_second = transpose_second

        def call(self, inputs: Any) -> Any:
            first, second = inputs
            return tf.matmul(first, second, transpose_b=self.transpose_second)

        def get_config(self) -> dict[str, Any]:
            config = {"transpose_second": self.transpose_second}
            return {**super().get_config(), **config}

    class ChannelMean(keras.layers.Layer):
        """Mean of the last axis, which stays with size 1."""

        def call(self, inputs: Any) -> Any:
            return tf.reduce_mean(inputs, axis=-1, keepdims=True)

    class InverseRoot(keras.layers.Layer):
        """`1 / sqrt(x + epsilon)`."""

        def __init__(self, epsilon: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.epsilon = epsilon

        def call(self, inputs: Any) -> Any:
            return tf.math.rsqrt(inputs + self.epsilon)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "epsilon": self.epsilon}

    found = (HardSwish, ChannelScale, Bias, MatrixProduct)
    return {x.__name__: x for x in (*found, ChannelMean, InverseRoot)}
