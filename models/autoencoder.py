# SPDX-License-Identifier: Apache-2.0
"""The autoencoder of MLPerf Tiny's anomaly detection.

It is trained on normal examples only and gives back what it is shown; what it
gives back badly is an anomaly. With 640 features: 269,992 parameters; with 64:
121,960. Images and sequences are flattened inside.

References:
    Banbury et al., "MLPerf Tiny Benchmark", 2021.
    https://arxiv.org/abs/2106.07597
    Koizumi et al., "Description and Discussion on DCASE2020 Challenge Task 2:
    Unsupervised Anomalous Sound Detection for Machine Condition Monitoring",
    2020. https://arxiv.org/abs/2006.05822
"""

import math

import tf_keras as keras

layers = keras.layers

INPUTS = {"example": None}
DATASET = "vibration"

# Keras' 0.99 lets running statistics lag hundreds of steps behind, more than
# fine-tuning on a small data set has.
_MOMENTUM = 0.9

_DEPTH = 4


def build(
    input_shape: tuple[int, ...], units: int = 128, bottleneck: int = 8
) -> keras.Model:
    """Returns the untrained model.

    Args:
        input_shape: Of one example, whatever its axes.
        units: Of each of four layers before and after the bottleneck.
        bottleneck: Numbers that must do to describe a normal example.

    Returns:
        From `example`, float32, to `reconstruction`, shape
        `(n, *input_shape)`.
    """
    example = keras.Input(input_shape, name="example")
    x = layers.Flatten(name="flatten")(example)
    widths = [units] * _DEPTH + [bottleneck] + [units] * _DEPTH
    for index, width in enumerate(widths, start=1):
        x = layers.Dense(width, name=f"dense{index}")(x)
        x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"bn{index}")(x)
        x = layers.ReLU(name=f"relu{index}")(x)
    x = layers.Dense(math.prod(input_shape), name="output")(x)
    reconstruction = layers.Reshape(input_shape, name="reconstruction")(x)
    return keras.Model(example, reconstruction, name="autoencoder")
