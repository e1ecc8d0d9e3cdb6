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
    input_shape: tuple[int, ...],
    num_classes: int,
    filters: int = 64,
    normalize_last: bool = False,
    epsilon: float = 1e-3,
) -> keras.Model:
    """Returns the untrained model.

    Args:
        input_shape: `(height, width, channels)`: time, frequency and 1 for
            sound features, but any image works.
        num_classes: Size of the softmax output.
        filters: Of every convolution.
        normalize_last: Normalizes what an activation gives, not what it gets,
            as many tutorials do. That cannot become part of the convolution,
            and a channel that is hardly ever above 0 gets a factor of up to
            `1 / sqrt(epsilon)`: int8, with one scale for the factors of all
            channels, loses the others.
        epsilon: Of batch normalization; positive.

    Returns:
        From `image`, float32, to `probabilities`, shape `(n, num_classes)`.
    """

    def activate(x: Any, name: str) -> Any:
        normalize = layers.BatchNormalization(
            momentum=_MOMENTUM, epsilon=epsilon, name=f"{name}_bn"
        )
        relu = layers.ReLU(name=f"{name}_relu")
        return normalize(relu(x)) if normalize_last else relu(normalize(x))

    image = keras.Input(input_shape, name="image")
    x = layers.Conv2D(filters, (10, 4), strides=2, padding="same", name="stem")(
        image
    )
    x = activate(x, "stem")
    x = layers.Dropout(0.2, name="stem_dropout")(x)
    for block in range(1, _NUM_BLOCKS + 1):
        name = f"block{block}_depthwise"
        x = layers.DepthwiseConv2D(3, padding="same", name=name)(x)
        x = activate(x, name)
        name = f"block{block}_pointwise"
        x = layers.Conv2D(filters, 1, name=name)(x)
        x = activate(x, name)
    x = layers.Dropout(0.4, name="dropout")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(image, probabilities, name="ds_cnn")
