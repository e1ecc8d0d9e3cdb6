# SPDX-License-Identifier: Apache-2.0
"""MobileNet: depthwise separable convolutions throughout.

With 224x224x3 inputs, 1000 classes and width 1.0: 4,253,864 parameters.

References:
    Howard et al., "MobileNets: Efficient Convolutional Neural Networks for
    Mobile Vision Applications", 2017. https://arxiv.org/abs/1704.04861
"""

from typing import Any

import tf_keras as keras

layers = keras.layers

INPUTS = {"image": ("height", "width", "channels")}
DATASET = "digits"

# Keras' 0.99 lets running statistics lag hundreds of steps behind, more than
# fine-tuning on a small data set has.
_MOMENTUM = 0.9

# Output filters at width 1.0 and stride of each block, table 1 of the paper.
_BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)

_SMALL_SIDE = 64


def build(
    input_shape: tuple[int, ...],
    num_classes: int,
    width_multiplier: float = 1.0,
) -> keras.Model:
    """Returns the untrained model.

    The first convolution keeps the resolution of images with a side below 64
    instead of halving it, which changes no parameter.

    Args:
        input_shape: `(height, width, channels)` of one image.
        num_classes: Size of the softmax output.
        width_multiplier: Scales the filters of every layer; `alpha` in the
            paper. Positive.

    Returns:
        From `image`, float32, to `probabilities`, shape `(n, num_classes)`.

    Raises:
        ValueError: If `width_multiplier` leaves a layer without filters.
    """
    if not int(32 * width_multiplier) > 0:
        raise ValueError(
            "`width_multiplier` must leave at least one of 32 filters. "
            f"Received: width_multiplier={width_multiplier}"
        )
    image = keras.Input(input_shape, name="image")
    strides = 1 if min(input_shape[:2]) < _SMALL_SIDE else 2
    x = layers.Conv2D(
        int(32 * width_multiplier),
        3,
        strides=strides,
        padding="same",
        use_bias=False,
        name="stem",
    )(image)
    x = _activate(x, "stem")
    for index, (filters, strides) in enumerate(_BLOCKS, start=1):
        filters = int(filters * width_multiplier)
        x = _separable_block(x, filters, strides, f"block{index}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(image, probabilities, name="mobilenet_v1")


def _separable_block(x: Any, filters: int, strides: int, name: str) -> Any:
    x = layers.DepthwiseConv2D(
        3,
        strides=strides,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = _activate(x, f"{name}_depthwise")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(x)
    return _activate(x, f"{name}_pointwise")


def _activate(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)
