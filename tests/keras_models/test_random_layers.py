# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.keras_models import random_layers

pytestmark = pytest.mark.tensorflow


def test_random_numbers_depend_on_seed_epoch_and_layer_only():
    import tensorflow as tf
    import tf_keras as keras

    def dropped():
        return keras.layers.Dropout(0.5)

    image = keras.Input((64,))
    model = keras.Model(image, [dropped()(image), dropped()(image)])
    own = [layer._random_generator for layer in model.layers[1:]]
    ones = tf.ones((1, 64))

    def after(calls, epoch, seed=0):
        with random_layers.seeded_by_epoch(model, seed) as reseed:
            for _ in range(calls):
                model(ones, training=True)
            reseed.on_epoch_begin(epoch)
            return np.concatenate(
                [model(ones, training=True) for _ in range(2)]
            )

    first = after(calls=0, epoch=1)
    assert len(np.unique(first.reshape(4, -1), axis=0)) == 4
    np.testing.assert_array_equal(first, after(calls=3, epoch=1))
    assert (first != after(calls=0, epoch=2)).any()
    assert (first != after(calls=0, epoch=1, seed=1)).any()
    assert own == [layer._random_generator for layer in model.layers[1:]]
