# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0: EfficientNet-B0 made for integer arithmetic.

ReLU6 instead of swish, no squeeze-and-excite. With 224x224x3 inputs, 1000
classes and width 1.0: 4,694,024 parameters.

References:
    Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional
    Neural Networks", 2019. https://arxiv.org/abs/1905.11946
    Liu, "Higher accuracy on vision models with EfficientNet-Lite", 2020.
    https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html
"""

from typing import Any

import tf_keras as keras

layers = keras.layers

INPUTS = {"image": ("height", "width", "channels")}
DATASET = "digits"

# Keras' 0.99 lets running statistics lag hundreds of steps behind, more than
# fine-tuning on a small data set has.
_MOMENTUM = 0.9

# Expansion, kernel size, output filters at width 1.0, repeats and stride of
# the first repeat of each stage, table 1 of the first paper.
_STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)

# Lite models keep both as they are, whatever the width.
_STEM_FILTERS = 32
_HEAD_FILTERS = 1280

_SMALL_SIDE = 64
_LEAST_SIDE = 4


def build(
    input_shape: tuple[int, ...],
    num_classes: int,
    width_multiplier: float = 1.0,
) -> keras.Model:
    """Returns the untrained model.

    Images with a side below 64 are halved less often: not by the first
    convolution, and never to less than 4, which changes no parameter.

    Args:
        input_shape: `(height, width, channels)` of one image.
        num_classes: Size of the softmax output.
        width_multiplier: Scales the filters of every block to a multiple of 8.
            Positive.

    Returns:
        From `image`, float32, to `probabilities`, shape `(n, num_classes)`.

    Raises:
        ValueError: If `width_multiplier` is not positive.
    """
    if not width_multiplier > 0:
        raise ValueError(
            "`width_multiplier` must be positive. "
            f"Received: width_multiplier={width_multiplier}"
        )
    image = keras.Input(input_shape, name="image")
    strides = 1 if min(input_shape[:2]) < _SMALL_SIDE else 2
    x = _conv(image, _STEM_FILTERS, 3, "stem", strides=strides)
    x = layers.ReLU(6.0, name="stem_relu")(x)
    small = strides == 1
    index = 0
    for expansion, kernel_size, filters, repeats, stride in _STAGES:
        for repeat in range(repeats):
            index += 1
            strides = stride if repeat == 0 else 1
            if small and min(x.shape[1:3]) < 2 * _LEAST_SIDE - 1:
                strides = 1
            x = _inverted_residual(
                x,
                expansion,
                kernel_size,
                _scaled(filters, width_multiplier),
                strides,
                f"block{index}",
            )
    x = _conv(x, _HEAD_FILTERS, 1, "head")
    x = layers.ReLU(6.0, name="head_relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(image, probabilities, name="efficientnet_lite0")


def _inverted_residual(
    x: Any,
    expansion: int,
    kernel_size: int,
    filters: int,
    strides: int,
    name: str,
) -> Any:
    shortcut, channels = x, x.shape[-1]
    if expansion != 1:
        x = _conv(x, expansion * channels, 1, f"{name}_expand")
        x = layers.ReLU(6.0, name=f"{name}_expand_relu")(x)
    x = layers.DepthwiseConv2D(
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = layers.BatchNormalization(
        momentum=_MOMENTUM, name=f"{name}_depthwise_bn"
    )(x)
    x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = _conv(x, filters, 1, f"{name}_project")
    if strides == 1 and channels == filters:
        x = layers.Add(name=f"{name}_add")([x, shortcut])
    return x


def _conv(
    x: Any, filters: int, kernel_size: int, name: str, strides: int = 1
) -> Any:
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        name=name,
    )(x)
    return layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_bn")(x)


def _scaled(filters: int, width_multiplier: float) -> int:
    """Returns the multiple of 8 nearest to the scaled number of filters.

    At least 8, and never more than a tenth below the exact number.
    """
    exact = filters * width_multiplier
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8
