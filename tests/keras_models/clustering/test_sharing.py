# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.keras_models import kernels
from tflite_opt.keras_models.clustering import sharing

pytestmark = pytest.mark.tensorflow


def shared(weights, clusters, **options):
    import tensorflow as tf

    output_axis = options.pop("output_axis", -1)
    variable = tf.Variable(weights.astype(np.float32))
    target = sharing.Target(
        kernel=kernels.Kernel(
            layer="conv",
            weight="kernel",
            variable=variable,
            output_axis=output_axis,
        ),
        number_of_clusters=clusters,
        **options,
    )
    return variable, sharing.share([target], "kmeans_plus_plus", 0)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def counts(weights, axis):
    channels = np.moveaxis(weights, axis, 0)
    return [len(np.unique(channel)) for channel in channels]


@pytest.mark.parametrize("clusters", [2, 16])
def test_a_kernel_is_clustered_at_once_and_after_each_step(clusters):
    variable, callback = shared(draw(3, 3, 4, 8), clusters)
    for step in range(4):
        assert len(np.unique(variable)) == clusters
        variable.assign_add(0.1 * draw(3, 3, 4, 8, seed=step))
        callback.on_train_batch_end(step)


@pytest.mark.parametrize("axis", [-1, -2], ids=["last", "transposed"])
def test_each_channel_has_values_of_its_own(axis):
    variable, callback = shared(
        draw(3, 3, 6, 8), 5, per_channel=True, output_axis=axis
    )
    variable.assign_add(0.1 * draw(3, 3, 6, 8, seed=1))
    callback.on_train_batch_end(0)
    assert set(counts(variable.numpy(), axis)) == {5}
    assert len(np.unique(variable)) == 5 * variable.shape[axis]


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("clusters", [3, 16])
def test_zeros_stay_and_no_other_weight_becomes_zero(per_channel, clusters):
    weights = draw(3, 3, 4, 8)
    weights[np.abs(weights) < 0.8] = 0
    weights[..., 2] = 0
    variable, callback = shared(
        weights, clusters, per_channel=per_channel, keeps_zeros=True
    )
    for step in range(3):
        variable.assign_add(0.1 * draw(3, 3, 4, 8, seed=step))
        callback.on_train_batch_end(step)
    found = variable.numpy()
    np.testing.assert_array_equal(found == 0, weights == 0)
    if per_channel:
        assert max(counts(found, -1)) <= clusters
    else:
        assert len(np.unique(found)) == clusters


def test_without_zeros_all_clusters_are_used():
    variable, _ = shared(draw(3, 3, 4, 8), 4, keeps_zeros=True)
    assert len(np.unique(variable)) == 4


def test_a_weight_joins_another_cluster_when_steps_take_it_there():
    weights = np.array([[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]])
    variable, callback = shared(weights, 2)
    step = np.array([[0.0, 0.0, 0.3, 0.0, 0.0, 0.0]], np.float32)
    variable.assign_add(step)
    callback.on_train_batch_end(0)
    # It is 0.3 by itself, and pulls the mean of its cluster.
    np.testing.assert_allclose(variable, [[0.1] * 3 + [1.0] * 3], atol=1e-6)
    variable.assign_add(step)
    callback.on_train_batch_end(1)
    np.testing.assert_allclose(variable, [[0.0] * 2 + [0.9] * 4], atol=1e-6)


def test_the_state_says_all_that_the_next_step_depends_on():
    weights = draw(3, 3, 4, 8)
    variable, callback = shared(weights, 4)
    variable.assign_add(0.1 * draw(3, 3, 4, 8, seed=1))
    callback.on_train_batch_end(0)
    other, resumed = shared(draw(3, 3, 4, 8, seed=9), 4)
    other.assign(variable)
    assert set(resumed.state) == {
        "conv/kernel/own",
        "conv/kernel/shared",
        "conv/kernel/centroids",
    }
    for name, value in callback.state.items():
        resumed.state[name].assign(value)
    for x, update in ((variable, callback), (other, resumed)):
        x.assign_add(0.1 * draw(3, 3, 4, 8, seed=2))
        update.on_train_batch_end(1)
    np.testing.assert_array_equal(variable, other)
