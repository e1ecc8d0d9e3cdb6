# SPDX-License-Identifier: Apache-2.0
"""A sequence classifier: a strided convolution, then a GRU layer.

TFLite has no GRU operation: a short loop is unrolled when the model is frozen,
and the file holds operations for each step. So the convolution makes the
sequence short. With 64x3 inputs and 6 classes: 20,102 parameters.

References:
    Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for
    Statistical Machine Translation", 2014. https://arxiv.org/abs/1406.1078
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
        units: Of the GRU.

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
    x = layers.GRU(units, name="gru")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(sequence, probabilities, name="gru")
