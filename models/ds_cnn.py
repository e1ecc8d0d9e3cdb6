# SPDX-License-Identifier: Apache-2.0
"""DS-CNN, the keyword spotting network of MLPerf Tiny.

A wide first kernel and depthwise separable blocks of equal width. With 49x10x1
inputs (time by frequency) and 12 classes: 24,908 parameters. The benchmark's
weight decay is left out: it belongs to training, not to the network.

References:
    Banbury et al., "MLPerf Tiny Benchmark", 2021.
    https://arxiv.org/abs/2106.07597
    Zhang et al., "Hello Edge: Keyword Spotting on Microcontrollers", 2017.
    https://arxiv.org/abs/1711.07128
"""

from typing import Any

import tf_keras as keras

layers = keras.layers

INPUTS = {"image": ("height", "width", "channels")}
DATASET = "digits"

# Keras' 0.99 lets running statistics lag hundreds of steps behind, more than
# fine-tuning on a small data set has.
_MOMENTUM = 0.9

_NUM_BLOCKS = 4


def build(
    input_shape: tuple[int, ...], num_classes: int, filters: int = 64
) -> keras.Model:
    """Returns the untrained model.

    Args:
        input_shape: `(height, width, channels)`: time, frequency and 1 for
            sound features, but any image works.
        num_classes: Size of the softmax output.
        filters: Of every convolution.

    Returns:
        From `image`, float32, to `probabilities`, shape `(n, num_classes)`.
    """
    image = keras.Input(input_shape, name="image")
    x = layers.Conv2D(filters, (10, 4), strides=2, padding="same", name="stem")(
        image
    )
    x = layers.BatchNormalization(momentum=_MOMENTUM, name="stem_bn")(x)
    x = layers.ReLU(name="stem_relu")(x)
    x = layers.Dropout(0.2, name="stem_dropout")(x)
    for block in range(1, _NUM_BLOCKS + 1):
        x = _separable_block(x, filters, f"block{block}")
    x = layers.Dropout(0.4, name="dropout")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(image, probabilities, name="ds_cnn")


def _separable_block(x: Any, filters: int, name: str) -> Any:
    x = layers.DepthwiseConv2D(3, padding="same", name=f"{name}_depthwise")(x)
    x = layers.BatchNormalization(
        momentum=_MOMENTUM, name=f"{name}_depthwise_bn"
    )(x)
    x = layers.ReLU(name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(filters, 1, name=f"{name}_pointwise")(x)
    x = layers.BatchNormalization(
        momentum=_MOMENTUM, name=f"{name}_pointwise_bn"
    )(x)
    return layers.ReLU(name=f"{name}_pointwise_relu")(x)
