# SPDX-License-Identifier: Apache-2.0
"""The smaller model computes what the whole one does with zeros."""

import re

import numpy as np
import pytest
import tf_keras as keras

from tests.keras_models.channels import randomized
from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import macs, surgery
from tflite_opt.records import errors

layers = keras.layers


def _inverted_residual():
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(6, 3, padding="same", name="stem")(image)
    y = layers.Conv2D(12, 1, use_bias=False, name="expand")(x)
    y = layers.ReLU(6.0)(layers.BatchNormalization(name="bn")(y))
    y = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(y)
    y = layers.Activation("sigmoid")(y)
    y = layers.Conv2D(6, 1, name="project")(y)
    x = layers.Add()([x, y])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(2, name="logits")(x))


_BLOCKS = {"inverted_residual": _inverted_residual}


@pytest.mark.parametrize("name", _BLOCKS)
def test_computes_what_the_whole_model_does_with_zeros(name):
    model = randomized.randomize(_BLOCKS[name]())
    groups = groups_lib.find(model)
    keep = randomized.choose(groups)
    smaller = surgery.shrink(model, groups, keep)
    masked = surgery.masked(model, groups, keep)
    assert randomized.difference(masked, smaller) < 1e-5
    assert randomized.difference(model, smaller) > 1e-2
    widths = {name: len(units) for name, units in keep.items()}
    predicted = macs.count(model, groups, widths)
    assert predicted == macs.count(smaller, groups_lib.find(smaller))
    assert predicted.parameters == smaller.count_params()
    assert smaller.input_names == model.input_names
    assert smaller.output_names == model.output_names


@pytest.mark.parametrize(
    "keep",
    [[], [0, 0], [1, 0], [6], [-1], [0.5]],
    ids=["none", "twice", "descending", "beyond", "negative", "fraction"],
)
def test_refuses_indices_that_are_no_choice_of_units(keep):
    model = _inverted_residual()
    groups = groups_lib.find(model)
    with pytest.raises(
        errors.InputError,
        match=re.escape(
            "`keep` of 'stem' must be ascending integers in [0, 6)"
        ),
    ):
        surgery.shrink(model, groups, {"stem": np.array(keep)})
