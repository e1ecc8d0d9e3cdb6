# SPDX-License-Identifier: Apache-2.0
"""A convolutional network on a sensor sequence.

Three strided convolutions over time, each with batch normalization.
With 64x3 inputs and 6 classes: 17,862 parameters.

References:
    Wang et al., "Time Series Classification from Scratch with Deep Neural
    Networks: A Strong Baseline", 2017. https://arxiv.org/abs/1611.06455
"""

import tf_keras as keras

layers = keras.layers

INPUTS = {"sequence": ("steps", "channels")}
DATASET = "sensor"

# Keras' 0.99 lets running statistics lag hundreds of steps behind, more than
# fine-tuning on a small data set has.
_MOMENTUM = 0.9

_KERNEL_SIZES = (8, 5, 3)


def build(
    input_shape: tuple[int, ...], num_classes: int, filters: int = 32
) -> keras.Model:
    """Returns the untrained model.

    Args:
        input_shape: `(steps, channels)` of one sequence.
        num_classes: Size of the softmax output.
        filters: Of the first and last convolution; the one between has twice
            as many.

    Returns:
        From `sequence`, float32, to `probabilities`, shape
        `(n, num_classes)`.
    """
    sequence = keras.Input(input_shape, name="sequence")
    x = sequence
    for index, kernel_size in enumerate(_KERNEL_SIZES, start=1):
        x = layers.Conv1D(
            2 * filters if index == 2 else filters,
            kernel_size,
            strides=2 if index == 1 else 1,
            padding="same",
            use_bias=False,
            name=f"conv{index}",
        )(x)
        x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"bn{index}")(x)
        x = layers.ReLU(name=f"relu{index}")(x)
    x = layers.GlobalAveragePooling1D(name="pool")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(sequence, probabilities, name="cnn_1d")
