# SPDX-License-Identifier: Apache-2.0
"""Tiny models and data for the tests of this package."""

import numpy as np

from tflite_opt.data import dataset


def classifier(num_classes=3, activation="softmax"):
    import tf_keras as keras

    image = keras.Input((4, 4, 1), name="image")
    x = keras.layers.Conv2D(4, 3, name="conv")(image)
    x = keras.layers.BatchNormalization(name="bn", momentum=0.5)(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(num_classes, activation=activation, name="scores")(x)
    return keras.Model(image, x)


def autoencoder():
    import tf_keras as keras

    image = keras.Input((4, 4, 1), name="image")
    x = keras.layers.Flatten(name="flatten")(image)
    x = keras.layers.Dense(8, activation="relu", name="encoder")(x)
    x = keras.layers.Dense(16, name="decoder")(x)
    return keras.Model(image, keras.layers.Reshape((4, 4, 1))(x))


def split(name="train", count=48, seed=0):
    """Images whose bright corner is their class."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = generator.random((count, 4, 4, 1), np.float32) * 0.5
    for index, (row, column) in enumerate(((0, 0), (0, 3), (3, 0))):
        images[labels == index, row, column] += 1
    return dataset.Split(
        name=name,
        inputs={"x": images},
        labels=labels,
        ids=np.arange(count) + 1000 * seed,
    )


def __getattr__(name):
    """Makes classes of tf_keras on first use, not when tests are collected."""
    import tf_keras as keras

    class Doubled(keras.layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    class Subclassed(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    made = {"Doubled": Doubled, "Subclassed": Subclassed}
    if name not in made:
        raise AttributeError(name)
    globals().update(made)
    return made[name]
