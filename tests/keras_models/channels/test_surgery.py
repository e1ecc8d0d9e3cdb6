# SPDX-License-Identifier: Apache-2.0
"""The smaller model computes what the whole one does with zeros."""

import dataclasses
import re

import numpy as np
import pytest
import tf_keras as keras

from tests.keras_models.channels import blocks, randomized
from tflite_opt.keras_models import saving
from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import macs, masking, surgery
from tflite_opt.records import errors

layers = keras.layers

# What stays of each model: not more MACs than this.
_MOST_MACS = 0.8


@pytest.mark.parametrize("builder", blocks.BUILDERS, ids=lambda b: b.__name__)
def test_computes_what_the_whole_model_does_with_zeros(builder):
    model = randomized.randomize(builder())
    groups = groups_lib.find(model)
    keep = randomized.choose(groups)
    smaller = surgery.shrink(model, groups, keep)
    masked = masking.masked(model, groups, keep)
    assert randomized.difference(masked, smaller) < 1e-5
    assert randomized.difference(model, smaller) > 1e-2
    assert smaller.input_names == model.input_names
    assert smaller.output_names == model.output_names
    assert smaller.output_shape == model.output_shape
    counter = macs.Counter(model, groups)
    predicted = counter.count({n: len(units) for n, units in keep.items()})
    assert predicted == macs.count(smaller, groups_lib.find(smaller))
    assert predicted.parameters == smaller.count_params()
    assert predicted.macs < _MOST_MACS * counter.count().macs


@pytest.mark.parametrize(
    "keep",
    [[], [0, 0], [1, 0], [6], [-1], [0.5]],
    ids=["none", "twice", "descending", "beyond", "negative", "fraction"],
)
def test_refuses_indices_that_are_no_choice_of_units(keep):
    model = blocks.inverted_residual()
    groups = groups_lib.find(model)
    with pytest.raises(
        errors.InputError,
        match=re.escape(
            "`keep` of 'stem' must be ascending integers in [0, 6)"
        ),
    ):
        surgery.shrink(model, groups, {"stem": np.array(keep)})


def test_saves_a_model_that_plain_keras_loads(tmp_path):
    model = randomized.randomize(blocks.nested())
    groups = groups_lib.find(model)
    smaller = surgery.shrink(model, groups, randomized.choose(groups))
    path = tmp_path / "smaller.keras"
    saving.save(smaller, path)
    loaded = keras.models.load_model(path)
    assert randomized.difference(smaller, loaded) == 0


def test_leaves_the_model_as_it_is():
    model = randomized.randomize(blocks.nested())
    names = [layer.name for layer in model._flatten_layers()]
    weights = model.get_weights()
    groups = groups_lib.find(model)
    masking.masked(model, groups, {"stem": np.arange(2)})
    surgery.shrink(model, groups, {"stem": np.arange(2)})
    assert [layer.name for layer in model._flatten_layers()] == names
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_groups_that_are_not_named_stay_whole():
    model = randomized.randomize(blocks.normalized_input())
    smaller = surgery.shrink(model, groups_lib.find(model), {})
    assert randomized.difference(model, smaller) < 1e-6


def test_frozen_layers_stay_frozen():
    model = blocks.plain()
    model.get_layer("bn").trainable = False
    smaller = surgery.shrink(
        model, groups_lib.find(model), {"first": np.array([0, 3])}
    )
    assert not smaller.get_layer("bn").trainable
    assert smaller.get_layer("first").trainable


def test_refuses_a_group_that_the_model_has_not():
    model = blocks.plain()
    groups = groups_lib.find(model)
    with pytest.raises(
        errors.InputError,
        match=re.escape("Received: 'bn'. Known: first, second."),
    ):
        surgery.shrink(model, groups, {"bn": np.array([0])})


def test_refuses_a_layer_that_cannot_be_made_again():
    class Own(layers.Layer):
        def __init__(self, size):
            super().__init__(name="own")

        def call(self, inputs):
            return inputs

    image = keras.Input((8, 8, 3))
    x = Own(3)(layers.Conv2D(4, 1)(layers.Conv2D(4, 1, name="first")(image)))
    model = keras.Model(image, x)
    groups = groups_lib.find(model)
    with pytest.raises(errors.ModelError, match=re.escape("'own' (Own)")):
        surgery.shrink(model, groups, {"first": np.array([0])})


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0"),
        *("EfficientNetV2B0", "ResNet50", "ResNet50V2", "DenseNet121"),
        *("InceptionV3", "ConvNeXtTiny"),
    ],
)
def test_stock_models_lose_half_of_their_channels(name):
    # Without the softmax, whose outputs are all nearly the same.
    model = randomized.randomize(
        getattr(keras.applications, name)(
            input_shape=(96, 96, 3), weights=None, classifier_activation=None
        )
    )
    groups = groups_lib.find(model)
    # The others change the statistics of layer normalization.
    exact = dataclasses.replace(
        groups, groups=tuple(g for g in groups.groups if not g.normalized_by)
    )
    keep = randomized.choose(exact)
    smaller = surgery.shrink(model, groups, keep)
    masked = masking.masked(model, groups, keep)
    assert randomized.difference(masked, smaller) < 1e-5
    before = macs.count(model, groups).macs
    after = macs.count(smaller, groups_lib.find(smaller)).macs
    assert after <= 0.7 * before
