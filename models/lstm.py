# SPDX-License-Identifier: Apache-2.0
"""A sequence classifier: a strided convolution, then an LSTM layer.

TFLite runs the LSTM as one fused operation, for which the TFLite converter has
full integer and dynamic range quantization and LiteRT Quantizer has none. With
64x3 inputs and 6 classes: 26,118 parameters.

References:
    Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.
    https://doi.org/10.1162/neco.1997.9.8.1735
    Ordóñez and Roggen, "Deep Convolutional and LSTM Recurrent Neural Networks
    for Multimodal Wearable Activity Recognition", 2016.
    https://doi.org/10.3390/s16010115
"""

import tf_keras as keras

layers = keras.layers

INPUTS = {"sequence": ("steps", "channels")}
DATASET = "sensor"

# Keras' 0.99 lets running statistics lag hundreds of steps behind, more than
# fine-tuning on a small data set has.
_MOMENTUM = 0.9

# So many steps become one before the recurrent layer.
_STRIDES = 4


def build(
    input_shape: tuple[int, ...],
    num_classes: int,
    filters: int = 32,
    units: int = 64,
) -> keras.Model:
    """Returns the untrained model.

    Args:
        input_shape: `(steps, channels)` of one sequence.
        num_classes: Size of the softmax output.
        filters: Of the convolution.
        units: Of the LSTM.

    Returns:
        From `sequence`, float32, to `probabilities`, shape
        `(n, num_classes)`.
    """
    sequence = keras.Input(input_shape, name="sequence")
    x = layers.Conv1D(
        filters,
        2 * _STRIDES,
        strides=_STRIDES,
        padding="same",
        use_bias=False,
        name="stem",
    )(sequence)
    x = layers.BatchNormalization(momentum=_MOMENTUM, name="stem_bn")(x)
    x = layers.ReLU(name="stem_relu")(x)
    x = layers.LSTM(units, name="lstm")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(sequence, probabilities, name="lstm")
