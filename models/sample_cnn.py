# SPDX-License-Identifier: Apache-2.0
"""A small convolutional network that trains in seconds.

It has the parts that matter to compression: a convolution, a depthwise
separable one, batch normalization after each, a residual addition and a dense
layer. With 8x8x1 inputs and 10 classes: 40,906 parameters.
"""

from typing import Any

import tf_keras as keras

layers = keras.layers

INPUTS = {"image": ("height", "width", "channels")}
DATASET = "digits"

# Keras' 0.99 lets running statistics lag hundreds of steps behind, more than
# fine-tuning on a small data set has.
_MOMENTUM = 0.9


def build(
    input_shape: tuple[int, ...], num_classes: int, filters: int = 32
) -> keras.Model:
    """Returns the untrained model.

    Args:
        input_shape: `(height, width, channels)` of one image.
        num_classes: Size of the softmax output.
        filters: Of the first convolution; the following layers have twice as
            many.

    Returns:
        From `image`, float32, to `probabilities`, shape `(n, num_classes)`.
    """
    image = keras.Input(input_shape, name="image")
    x = _conv(image, filters, 3, "stem")
    x = layers.ReLU(name="stem_relu")(x)
    x = layers.DepthwiseConv2D(
        3, padding="same", use_bias=False, name="depthwise"
    )(x)
    x = layers.BatchNormalization(momentum=_MOMENTUM, name="depthwise_bn")(x)
    x = layers.ReLU(name="depthwise_relu")(x)
    x = _conv(x, 2 * filters, 1, "pointwise")
    x = layers.ReLU(name="pointwise_relu")(x)
    shortcut = x
    x = _conv(x, 2 * filters, 3, "residual")
    x = layers.Add(name="residual_add")([x, shortcut])
    x = layers.ReLU(name="residual_relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(image, probabilities, name="sample_cnn")


def _conv(x: Any, filters: int, kernel_size: int, name: str) -> Any:
    x = layers.Conv2D(
        filters, kernel_size, padding="same", use_bias=False, name=name
    )(x)
    return layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_bn")(x)
