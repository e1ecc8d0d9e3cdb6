# SPDX-License-Identifier: Apache-2.0
"""Small models of Keras 3, one for each thing that is rebuilt differently."""

import numpy as np


def image_classifier():
    """Activations and arithmetic that Keras 2 says in other words."""
    import keras

    layers = keras.layers
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(8, 3, activation="hard_swish", name="conv")(image)
    x = layers.BatchNormalization(name="bn")(x)
    x = x * 2.0 + 1.0
    x = layers.Activation("silu", name="silu")(x)
    x = layers.Conv2D(4, 1, activation="relu6", name="pointwise")(x)
    x = keras.ops.mean(x, axis=[1, 2])
    scores = layers.Dense(10, activation="softmax", name="scores")(x)
    return keras.Model(image, scores, name="image_classifier")


def nested():
    import keras

    layers = keras.layers
    normalization = layers.Normalization(axis=-1, name="normalization")
    normalization.adapt(np.random.default_rng(0).random((50, 8, 8, 2)) * 3)
    inner = keras.Sequential(
        [layers.Conv2D(4, 3, name="inner_conv"), layers.Flatten(name="flat")],
        name="inner",
    )
    return keras.Sequential(
        [
            keras.Input((8, 8, 2), name="image"),
            normalization,
            inner,
            layers.LeakyReLU(negative_slope=0.1, name="leaky"),
            layers.Dense(3, activation="softmax", name="scores"),
        ],
        name="nested",
    )


def recurrent(layer="LSTM"):
    import keras

    steps = keras.Input((8, 8), name="steps")
    inner = getattr(keras.layers, layer)(16, name="memory")
    x = keras.layers.Bidirectional(inner, name="both")(steps)
    scores = keras.layers.Dense(10, activation="softmax", name="scores")(x)
    return keras.Model(steps, scores, name="recurrent")


def attention():
    import keras

    layers = keras.layers
    tokens = keras.Input((8,), dtype="int32", name="tokens")
    x = layers.Embedding(20, 16, name="embedding")(tokens)
    x = layers.MultiHeadAttention(2, 8, name="attention")(x, x)
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.GlobalAveragePooling1D(name="pool")(x)
    scores = layers.Dense(4, activation="softmax", name="scores")(x)
    return keras.Model(tokens, scores, name="attention")


def two_by_two():
    """Two inputs in a dictionary and two outputs that share a layer."""
    import keras

    layers = keras.layers
    image = keras.Input((4, 4, 1), name="z_image")
    meta = keras.Input((2,), name="a_meta")
    shared = layers.Dense(3, name="shared")
    first = shared(layers.Flatten(name="flat")(layers.Conv2D(2, 3)(image)))
    second = shared(layers.Dense(8, name="wide")(meta))
    return keras.Model(
        {"z_image": image, "a_meta": meta},
        [layers.Add(name="sum")([first, second]), second],
        name="two_by_two",
    )


def only_in_keras3():
    import keras

    x = keras.Input((8, 8, 1), name="image")
    y = keras.layers.Flatten(name="flat")(x)
    y = keras.layers.RMSNormalization(name="rms")(y)
    y = keras.layers.Dense(10, activation="softmax", name="scores")(y)
    return keras.Model(x, y, name="only_in_keras3")


def builder():
    """The kind of function that --model names."""
    import keras

    keras.utils.set_random_seed(0)
    return image_classifier()


def raising():
    return {}["nothing"]


def a_number():
    return 3
