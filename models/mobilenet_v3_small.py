# SPDX-License-Identifier: Apache-2.0
"""MobileNetV3-Small: inverted residuals with squeeze-and-excite and hard swish.

Hard swish and hard sigmoid are written as Keras layers with exactly the
arithmetic of the paper, so the network has no operator of TensorFlow's that
Keras would wrap. With 224x224x3 inputs, 1000 classes and width 1.0:
2,554,968 parameters.

References:
    Howard et al., "Searching for MobileNetV3", 2019.
    https://arxiv.org/abs/1905.02244
"""

from typing import Any

import tf_keras as keras

layers = keras.layers

INPUTS = {"image": ("height", "width", "channels")}
DATASET = "digits"

# Keras' 0.99 lets running statistics lag hundreds of steps behind, more than
# fine-tuning on a small data set has.
_MOMENTUM = 0.9

# Kernel size, expansion, output filters at width 1.0, squeeze-and-excite, hard
# swish instead of ReLU, and stride of each block, table 2 of the paper.
_BLOCKS = (
    (3, 1, 16, True, False, 2),
    (3, 72 / 16, 24, False, False, 2),
    (3, 88 / 24, 24, False, False, 1),
    (5, 4, 40, True, True, 2),
    (5, 6, 40, True, True, 1),
    (5, 6, 40, True, True, 1),
    (5, 3, 48, True, True, 1),
    (5, 3, 48, True, True, 1),
    (5, 6, 96, True, True, 2),
    (5, 6, 96, True, True, 1),
    (5, 6, 96, True, True, 1),
)

_HEAD_UNITS = 1024
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
        width_multiplier: Scales the filters of every layer to a multiple of 8.
            Positive. The dense layer before the last never has fewer than
            1024.

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
    x = _conv(image, 16, 3, "stem", strides=strides)
    x = _hard_swish(x, "stem_swish")
    small = strides == 1
    for index, block in enumerate(_BLOCKS, start=1):
        kernel_size, expansion, filters, squeeze, swish, strides = block
        if small and min(x.shape[1:3]) < 2 * _LEAST_SIDE - 1:
            strides = 1
        x = _inverted_residual(
            x,
            kernel_size,
            expansion,
            _multiple_of_8(filters * width_multiplier),
            squeeze,
            swish,
            strides,
            f"block{index}",
        )
    x = _conv(x, _multiple_of_8(6 * x.shape[-1]), 1, "head")
    x = _hard_swish(x, "head_swish")
    x = layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)
    units = _multiple_of_8(_HEAD_UNITS * max(1.0, width_multiplier))
    x = layers.Conv2D(units, 1, name="hidden")(x)
    x = _hard_swish(x, "hidden_swish")
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(image, probabilities, name="mobilenet_v3_small")


def _inverted_residual(
    x: Any,
    kernel_size: int,
    expansion: float,
    filters: int,
    squeeze: bool,
    swish: bool,
    strides: int,
    name: str,
) -> Any:
    shortcut, channels = x, x.shape[-1]
    if expansion != 1:
        x = _conv(x, _multiple_of_8(expansion * channels), 1, f"{name}_expand")
        x = _activate(x, swish, f"{name}_expand")
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
    x = _activate(x, swish, f"{name}_depthwise")
    if squeeze:
        x = _squeeze_excite(x, f"{name}_squeeze")
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


def _squeeze_excite(x: Any, name: str) -> Any:
    channels = x.shape[-1]
    scale = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)
    scale = layers.Conv2D(
        _multiple_of_8(channels / 4),
        1,
        activation="relu",
        name=f"{name}_reduce",
    )(scale)
    scale = layers.Conv2D(channels, 1, name=f"{name}_expand")(scale)
    scale = _hard_sigmoid(scale, f"{name}_sigmoid")
    return layers.Multiply(name=f"{name}_excite")([x, scale])


def _activate(x: Any, swish: bool, name: str) -> Any:
    if swish:
        return _hard_swish(x, f"{name}_swish")
    return layers.ReLU(name=f"{name}_relu")(x)


def _hard_swish(x: Any, name: str) -> Any:
    return layers.Multiply(name=name)([x, _hard_sigmoid(x, f"{name}_gate")])


def _hard_sigmoid(x: Any, name: str) -> Any:
    """Returns `relu6(x + 3) / 6`."""
    x = layers.Rescaling(1.0, offset=3.0, name=f"{name}_shift")(x)
    x = layers.ReLU(6.0, name=f"{name}_relu")(x)
    return layers.Rescaling(1 / 6, name=name)(x)


def _multiple_of_8(filters: float) -> int:
    """Returns the nearest multiple of 8.

    At least 8, and never more than a tenth below the exact number.
    """
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * filters else rounded + 8
