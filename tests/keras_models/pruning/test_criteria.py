# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.keras_models.pruning import criteria

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def variables():
    import tensorflow as tf

    return [tf.Variable([[1.0, -3.0]]), tf.Variable([[0.0], [2.0]])]


def test_magnitude(variables):
    (first, second) = criteria.magnitude(variables)()
    assert first.tolist() == [[1, 3]]
    assert second.tolist() == [[0], [2]]


def test_random_scores_stay_and_depend_on_the_seed(variables):
    score = criteria.random(variables, seed=3)
    for again, first in zip(score(), score(), strict=True):
        np.testing.assert_array_equal(again, first)
    assert [x.shape for x in score()] == [(1, 2), (2, 1)]
    other = criteria.random(variables, seed=4)()
    assert not np.array_equal(score()[0], other[0])


def test_taylor_is_the_mean_of_gradient_times_weight():
    import tensorflow as tf
    import tf_keras as keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    kernel = model.layers[0].kernel
    kernel.assign([[2.0], [-1.0]])
    batches = tf.data.Dataset.from_tensor_slices(
        (np.array([[[1, 4]], [[3, 0]]], np.float32), np.zeros((2, 1)))
    )
    unused = tf.Variable([[5.0]])
    found = criteria.taylor(
        [kernel, unused],
        model,
        batches,
        lambda targets, outputs: tf.reduce_sum(outputs),
    )()
    # Gradients are the inputs: |1 * 2| and |3 * 2|, |4 * -1| and |0 * -1|.
    np.testing.assert_allclose(found[0], [[4], [2]])
    np.testing.assert_allclose(found[1], [[0]])


def test_taylor_spares_small_weights_that_matter():
    import tensorflow as tf
    import tf_keras as keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    kernel = model.layers[0].kernel
    kernel.assign([[0.1], [1.0]])
    # The second input is always near 0, so its large weight is worth little.
    inputs = np.array([[10.0, 0.01]], np.float32)
    batches = tf.data.Dataset.from_tensors((inputs, np.zeros((1, 1))))
    loss = keras.losses.MeanSquaredError()
    by_loss = criteria.taylor([kernel], model, batches, loss)()[0]
    by_size = criteria.magnitude([kernel])()[0]
    assert by_loss.argmin() == 1
    assert by_size.argmin() == 0
