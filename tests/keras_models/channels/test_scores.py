# SPDX-License-Identifier: Apache-2.0
"""How much each unit matters, by each criterion."""

import re

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras

from tests.keras_models.channels import blocks, randomized
from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import scores, tracing
from tflite_opt.records import errors

layers = keras.layers


@pytest.fixture(scope="module")
def net():
    """Three channels with weights 3 and 4, -5 and 0, 0 and 1."""
    model = keras.Sequential(
        [
            keras.Input((1, 1, 2)),
            layers.Conv2D(3, 1, use_bias=False, name="conv"),
            layers.BatchNormalization(name="bn"),
            layers.Flatten(),
            layers.Dense(1, name="last"),
        ]
    )
    kernel = np.array([[3, -5, 0], [4, 0, 1]], np.float32)
    model.get_layer("conv").kernel.assign(kernel[None, None])
    model.get_layer("bn").gamma.assign([0.5, -2, 1])
    return model


@pytest.mark.parametrize(
    ("criterion", "proportional_to"),
    [
        ("l1", [7, 5, 1]),
        ("l2", [5, 5, 1]),
        ("batch_norm_scale", [0.5, 2, 1]),
        (
            "geometric_median",
            np.sqrt([80, 80, 18]) + np.sqrt([18, 26, 26]),
        ),
    ],
)
def test_scores_are_on_one_scale(net, criterion, proportional_to):
    found = scores.score(net, groups_lib.find(net), criterion)
    expected = np.array(proportional_to, float)
    expected /= np.sqrt(np.square(expected).mean())
    np.testing.assert_allclose(found["conv"], expected, rtol=1e-5)


def test_without_batch_normalization_the_weights_decide():
    model = blocks.dense()
    groups = groups_lib.find(model)
    by_scale, by_weights = (
        scores.score(model, groups, criterion)
        for criterion in ("batch_norm_scale", "l2")
    )
    np.testing.assert_array_equal(by_scale["first"], by_weights["first"])


@pytest.mark.parametrize(
    "builder", [blocks.inverted_residual, blocks.separable, blocks.attention]
)
def test_taylor_is_the_squared_derivative_by_what_a_unit_gives(builder):
    model = randomized.randomize(builder())
    groups = groups_lib.find(model)
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(4, 8, 8, 3)).astype(np.float32)
    targets = generator.normal(size=(4, 3)).astype(np.float32)
    found = scores.score(
        *(model, groups, "taylor", [(inputs, targets)]),
        loss=keras.losses.mean_squared_error,
    )
    for group in groups.groups:
        expected = _derivative(model, group, 1, inputs, targets) ** 2
        assert found[group.name].shape == (group.size,)
        assert found[group.name][1] == pytest.approx(expected, rel=0.02)


def _derivative(model, group, unit, inputs, targets):
    """Returns the slope of the loss when the consumers scale a unit."""
    step, losses = 1e-2, []
    for factor in (1 + step, 1 - step):
        changed = keras.models.clone_model(model)
        changed.set_weights(model.get_weights())
        for place in group.consumers:
            layer = dict(layer_support.walk(changed))[place.layer]
            names = tracing.weight_names(layer)
            variable = layer.weights[names.index(place.weight)]
            shape = [1] * len(variable.shape)
            shape[place.axis] = -1
            scale = np.where(place.units == unit, factor, 1.0).reshape(shape)
            variable.assign(variable * scale)
        outputs = changed(inputs, training=False)
        loss = keras.losses.mean_squared_error(targets, outputs)
        losses.append(float(tf.reduce_mean(loss)))
    return (losses[0] - losses[1]) / (2 * step)


def test_random_scores_follow_the_seed(net):
    groups = groups_lib.find(net)
    first, again, other = (
        scores.score(net, groups, "random", seed=seed)["conv"]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_taylor_needs_a_loss(net):
    with pytest.raises(errors.InputError, match=re.escape("loss=None")):
        scores.score(net, groups_lib.find(net), "taylor")


def test_taylor_needs_a_batch(net):
    with pytest.raises(errors.InputError, match="at least one batch"):
        scores.score(
            *(net, groups_lib.find(net), "taylor"),
            loss=keras.losses.mean_squared_error,
        )
