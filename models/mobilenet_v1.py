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
    sparse_friendly: bool = False,
) -> keras.Model:
    """Returns the untrained model.

    The first convolution keeps the resolution of images with a side below 64
    instead of halving it, which changes no parameter; not if it shall be
    friendly to sparse inference.

    Args:
        input_shape: `(height, width, channels)` of one image.
        num_classes: Size of the softmax output.
        width_multiplier: Scales the filters of every layer; `alpha` in the
            paper. Positive.
        sparse_friendly: Pads by 1 on all sides wherever the resolution is
            halved, so that XNNPACK can run the pruned network sparsely on Arm
            processors; needs 3 channels. Same parameters, other function.

    Returns:
        From `image`, float32, to `probabilities`, shape `(n, num_classes)`.

    Raises:
        ValueError: If `width_multiplier` leaves a layer without filters, or a
            sparse-friendly network has not 3 channels.
    """
    if not int(32 * width_multiplier) > 0:
        raise ValueError(
            "`width_multiplier` must leave at least one of 32 filters. "
            f"Received: width_multiplier={width_multiplier}"
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
        int(32 * width_multiplier),
        3,
        strides=strides,
        padding=padding,
        use_bias=False,
        name="stem",
    )(x)
    x = _activate(x, "stem")
    for index, (filters, strides) in enumerate(_BLOCKS, start=1):
        filters = int(filters * width_multiplier)
        x = _separable_block(
            x, filters, strides, sparse_friendly, f"block{index}"
        )
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(image, probabilities, name="mobilenet_v1")


def _separable_block(
    x: Any, filters: int, strides: int, sparse_friendly: bool, name: str
) -> Any:
    x, padding = _padded(x, strides, sparse_friendly, f"{name}_depthwise")
    x = layers.DepthwiseConv2D(
        3,
        strides=strides,
        padding=padding,
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = _activate(x, f"{name}_depthwise")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(x)
    return _activate(x, f"{name}_pointwise")


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
