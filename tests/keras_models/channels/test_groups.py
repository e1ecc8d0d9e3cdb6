# SPDX-License-Identifier: Apache-2.0
"""Which channels go together, by the kinds of blocks that networks have."""

import pytest
import tf_keras as keras

from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.records import errors

layers = keras.layers


def _sizes(model):
    return {g.name: g.size for g in groups_lib.find(model).groups}


def test_a_channel_goes_from_a_convolution_and_from_what_reads_it():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(6, 3, name="first"),
            layers.BatchNormalization(name="bn"),
            layers.ReLU(),
            layers.Conv2D(4, 1, name="second"),
        ]
    )
    (group,) = groups_lib.find(model).groups
    assert (group.name, group.size) == ("first", 6)
    assert [(p.layer, p.weight, p.axis) for p in group.places] == [
        ("first", "kernel", 3),
        ("first", "bias", 0),
        ("bn", "gamma", 0),
        ("bn", "beta", 0),
        ("bn", "moving_mean", 0),
        ("bn", "moving_variance", 0),
        ("second", "kernel", 2),
    ]
    assert group.layers == ("first", "bn", "second")


def test_outputs_keep_their_size():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="last")])
    found = groups_lib.find(model)
    assert found.groups == ()
    assert found.kept == (
        groups_lib.Kept(
            layer="last", reason="The model's outputs keep their size."
        ),
    )


def test_channels_that_are_added_go_together():
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 3, padding="same", name="stem")(image)
    y = layers.Conv2D(12, 1, name="expand")(x)
    y = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(y)
    y = layers.Conv2D(6, 1, name="project")(y)
    x = layers.Add()([x, y])
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, layers.Dense(2, name="logits")(x))
    assert _sizes(model) == {"stem": 6, "expand": 12}
    stem = groups_lib.find(model)["stem"]
    assert {p.layer for p in stem.producers} == {"stem", "project"}
    assert {p.layer for p in stem.consumers} == {"expand", "logits"}


def test_refuses_a_subclassed_model():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(errors.ModelError, match="functional or Sequential"):
        groups_lib.find(Own(name="own"))
