# SPDX-License-Identifier: Apache-2.0
"""MobileNetV2: inverted residuals with linear bottlenecks.

With 224x224x3 inputs, 1000 classes and width 1.0: 3,538,984 parameters.

References:
    Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
    2018. https://arxiv.org/abs/1801.04381
"""

import math
from typing import Any

import tf_keras as keras

layers = keras.layers

INPUTS = {"image": ("height", "width", "channels")}
DATASET = "digits"

# Keras' 0.99 lets running statistics lag hundreds of steps behind, more than
# fine-tuning on a small data set has.
_MOMENTUM = 0.9

# Expansion, output filters at width 1.0, repeats and stride of the first
# repeat of each stage, table 2 of the paper.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

_LAST_FILTERS = 1280
_SMALL_SIDE = 64


def build(
    input_shape: tuple[int, ...],
    num_classes: int,
    width_multiplier: float = 1.0,
    depth_multiplier: float = 1.0,
    sparse_friendly: bool = False,
) -> keras.Model:
    """Returns the untrained model.

    The first convolution keeps the resolution of images with a side below 64
    instead of halving it, which changes no parameter; not if it shall be
    friendly to sparse inference.

    Args:
        input_shape: `(height, width, channels)` of one image.
        num_classes: Size of the softmax output.
        width_multiplier: Scales the filters of every layer to a multiple of 8;
            `alpha` in the literature. Positive. The last convolution never
            has fewer than 1280.
        depth_multiplier: Scales how often the block of a stage is repeated,
            rounded up, as EfficientNet does. Positive.
        sparse_friendly: Pads by 1 on all sides wherever the resolution is
            halved, so that XNNPACK can run the pruned network sparsely on Arm
            processors; needs 3 channels. Same parameters, other function.

    Returns:
        From `image`, float32, to `probabilities`, shape `(n, num_classes)`.

    Raises:
        ValueError: If a multiplier is not positive, or a sparse-friendly
            network has not 3 channels.
    """
    if not (width_multiplier > 0 and depth_multiplier > 0):
        raise ValueError(
            "`width_multiplier` and `depth_multiplier` must be positive. "
            f"Received: width_multiplier={width_multiplier}, "
            f"depth_multiplier={depth_multiplier}"
        )
    if sparse_friendly and input_shape[-1] != 3:
        raise ValueError(
            "`sparse_friendly` needs images of 3 channels. "
            f"Received: input_shape={input_shape}"
        )
    image = keras.Input(input_shape, name="image")
    is_small = min(input_shape[:2]) < _SMALL_SIDE
    strides = 1 if is_small and not sparse_friendly else 2
    x, padding = _padded(image, strides, sparse_friendly, "stem")
    x = layers.Conv2D(
        _scaled(32, width_multiplier),
        3,
        strides=strides,
        padding=padding,
        use_bias=False,
        name="stem",
    )(x)
    x = _activate(x, "stem")
    index = 0
    for expansion, filters, repeats, stride in _STAGES:
        for repeat in range(math.ceil(depth_multiplier * repeats)):
            index += 1
            x = _inverted_residual(
                x,
                expansion,
                _scaled(filters, width_multiplier),
                stride if repeat == 0 else 1,
                sparse_friendly,
                f"block{index}",
            )
    last = _scaled(_LAST_FILTERS, max(1.0, width_multiplier))
    x = layers.Conv2D(last, 1, use_bias=False, name="head")(x)
    x = _activate(x, "head")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(image, probabilities, name="mobilenet_v2")


def _inverted_residual(
    x: Any,
    expansion: int,
    filters: int,
    strides: int,
    sparse_friendly: bool,
    name: str,
) -> Any:
    shortcut, channels = x, x.shape[-1]
    if expansion != 1:
        x = layers.Conv2D(
            expansion * channels, 1, use_bias=False, name=f"{name}_expand"
        )(x)
        x = _activate(x, f"{name}_expand")
    x, padding = _padded(x, strides, sparse_friendly, f"{name}_depthwise")
    x = layers.DepthwiseConv2D(
        3,
        strides=strides,
        padding=padding,
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = _activate(x, f"{name}_depthwise")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = layers.BatchNormalization(
        momentum=_MOMENTUM, name=f"{name}_project_bn"
    )(x)
    if strides == 1 and channels == filters:
        x = layers.Add(name=f"{name}_add")([x, shortcut])
    return x


def _padded(
    x: Any, strides: int, sparse_friendly: bool, name: str
) -> tuple[Any, str]:
    """Returns the input of a 3x3 convolution, and how that is to pad."""
    if strides == 1 or not sparse_friendly:
        return x, "same"
    return layers.ZeroPadding2D(1, name=f"{name}_pad")(x), "valid"


def _activate(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _scaled(filters: int, width_multiplier: float) -> int:
    """Returns the multiple of 8 nearest to the scaled number of filters.

    At least 8, and never more than a tenth below the exact number.
    """
    exact = filters * width_multiplier
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8
