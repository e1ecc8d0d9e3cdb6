# SPDX-License-Identifier: Apache-2.0
"""Layers that Keras lacks and TFLite has as one operation.

Keras needs their classes to load a model that was rewritten.
"""

import functools
from collections.abc import Mapping
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

    return {"HardSwish": HardSwish, "ChannelScale": ChannelScale}
