# SPDX-License-Identifier: Apache-2.0
"""ResNet-8, the image classification network of MLPerf Tiny.

With 32x32x3 inputs and 10 classes: 78,666 parameters. The benchmark's weight
decay is left out: it belongs to training, not to the network.

References:
    Banbury et al., "MLPerf Tiny Benchmark", 2021.
    https://arxiv.org/abs/2106.07597
    He et al., "Deep Residual Learning for Image Recognition", 2015.
    https://arxiv.org/abs/1512.03385
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
    input_shape: tuple[int, ...],
    num_classes: int,
    filters: int = 16,
    stages: int = 3,
) -> keras.Model:
    """Returns the untrained model.

    Args:
        input_shape: `(height, width, channels)` of one image.
        num_classes: Size of the softmax output.
        filters: Of the first stage; each doubles them.
        stages: Residual blocks; with four it is ResNet-10.

    Returns:
        From `image`, float32, to `probabilities`, shape `(n, num_classes)`.

    Raises:
        ValueError: If there is no stage.
    """
    if stages < 1:
        raise ValueError(
            f"`stages` must be at least 1. Received: stages={stages}"
        )
    image = keras.Input(input_shape, name="image")
    x = _conv(image, filters, "stem", kernel_size=3, strides=1)
    x = layers.BatchNormalization(momentum=_MOMENTUM, name="stem_bn")(x)
    x = layers.ReLU(name="stem_relu")(x)
    for stage in range(stages):
        x = _residual_block(
            x, filters << stage, f"stage{stage + 1}", downsample=stage > 0
        )
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dense(
        num_classes, kernel_initializer="he_normal", name="logits"
    )(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(image, probabilities, name="resnet8")


def _residual_block(x: Any, filters: int, name: str, downsample: bool) -> Any:
    shortcut = x
    strides = 2 if downsample else 1
    x = _conv(x, filters, f"{name}_conv1", kernel_size=3, strides=strides)
    x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_bn1")(x)
    x = layers.ReLU(name=f"{name}_relu1")(x)
    x = _conv(x, filters, f"{name}_conv2", kernel_size=3, strides=1)
    x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_bn2")(x)
    if downsample:
        # The benchmark's projection has no batch normalization.
        shortcut = _conv(
            shortcut, filters, f"{name}_projection", kernel_size=1, strides=2
        )
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_relu2")(x)


def _conv(
    x: Any, filters: int, name: str, kernel_size: int, strides: int
) -> Any:
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        kernel_initializer="he_normal",
        name=name,
    )(x)
