# SPDX-License-Identifier: Apache-2.0
"""What goes together in each kind of block, and why the rest stays."""

import pytest
import tensorflow as tf
import tf_keras as keras

from tests.keras_models.channels import blocks
from tflite_opt.keras_models.channels import groups as groups_lib

layers = keras.layers


@pytest.mark.parametrize(
    ("builder", "sizes"),
    [
        (blocks.plain, {"first": 6, "second": 4}),
        (blocks.inverted_residual, {"stem": 6, "expand": 12}),
        (blocks.depth_multiplier, {"stem": 6}),
        (blocks.separable, {"first": 6, "second": 8}),
        (blocks.transposed, {"down": 6, "up": 8}),
        (blocks.conv_1d, {"first": 2}),
        (blocks.pre_activation, {"stem": 6, "shortcut": 8, "reduce": 5}),
        (blocks.concatenation, {"a": 6, "b": 4, "after": 5}),
        (
            blocks.dense_block,
            {"stem": 6, "conv0": 4, "conv1": 4, "transition": 5},
        ),
        (blocks.joined_sequences, {"b": 6, "after": 5}),
        (blocks.squeeze_excite, {"stem": 8, "reduce": 4, "after": 5}),
        (blocks.spatial_attention, {"stem": 8}),
        (blocks.hard_swish, {"stem": 8}),
        (blocks.flattened, {"stem": 6, "hidden": 5}),
        (blocks.shuffled, {"stem": 4}),
        (blocks.grouped, {"stem": 4, "after": 5}),
        (blocks.convnext_block, {"stem": 6, "expand": 24}),
        (blocks.attention, {"patches": 8, "attention": 4, "expand": 16}),
        (
            blocks.cross_attention,
            {"q": 8, "m": 6, "attention": 4, "attention#2": 10},
        ),
        (blocks.einsum, {"first": 8, "second": 6}),
        (blocks.group_norm, {"first": 6, "after": 5}),
        (blocks.nested, {"stem": 6, "after": 5}),
        (blocks.shared, {"b": 4, "shared": 6, "after": 5}),
        (blocks.split_residual, {"a": 6, "b": 4}),
        (blocks.operators, {"stem": 6}),
        (blocks.open_nested, {"inner/conv": 6, "inner/second": 4}),
        (blocks.two_outputs, {"stem": 6, "z": 4}),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_units_that_can_be_removed_alone(builder, sizes):
    found = groups_lib.find(builder())
    assert {group.name: group.size for group in found.groups} == sizes


class _Custom(layers.Layer):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (lambda x: x[..., :2], "SlicingOpLambda is not followed."),
        (lambda x: x + [1.0, 2.0, 3.0, 4.0], "__operators__.add is not"),
        (lambda x: tf.nn.softmax(x), "tf.nn.softmax is not followed."),
        (layers.Softmax(name="all"), "all looks at all of them at once."),
        (
            layers.Activation("softmax", name="all"),
            "all looks at all of them at once.",
        ),
        (
            _Custom(name="custom"),
            "They go into custom. _Custom is",
        ),
        (layers.GroupNormalization(2), "GroupNormalization is not followed."),
        (
            layers.Conv2D(2, 1, activation="softmax", name="map"),
            "map looks at all of them at once.",
        ),
        (lambda x: tf.reduce_max(x, -1, keepdims=True), "It sums up channels."),
        (layers.Permute((3, 1, 2)), "own has its channels along another axis."),
        (
            lambda x: layers.Multiply(name="times")(
                [x, layers.Conv2D(1, 1, name="map")(x)]
            ),
            "times uses it with all channels.",
        ),
        (
            lambda x: layers.Add()([x, layers.Permute((3, 2, 1))(x)]),
            "It joins channels of unlike axes.",
        ),
    ],
)
def test_says_why_channels_stay(tail, reason):
    image = keras.Input((4, 4, 3))
    x = tail(layers.Conv2D(4, 1, name="stem")(image))
    if len(x.shape) == 4:
        x = layers.Conv2D(2, 1, name="own")(x)
    model = keras.Model(image, layers.GlobalAveragePooling2D()(x))
    found = groups_lib.find(model)
    assert any(reason in kept.reason for kept in found.kept), found.kept


def test_channels_are_not_followed_to_an_axis_of_open_size():
    sequence = keras.Input((None, 3))
    x = layers.Conv1D(4, 1, name="conv")(sequence)
    model = keras.Model(sequence, layers.Reshape((4, -1))(x))
    (kept,) = groups_lib.find(model).kept
    assert "It moves channels to an axis of open size." in kept.reason


def test_layers_that_are_not_followed_are_named():
    sequence = keras.Input((5, 3))
    x = layers.Conv1D(4, 1, name="conv")(sequence)
    model = keras.Model(sequence, layers.LSTM(2, name="lstm")(x))
    assert groups_lib.find(model).kept == (
        groups_lib.Kept(layer="lstm", reason="LSTM is not followed."),
        groups_lib.Kept(
            layer="conv", reason="They go into lstm. LSTM is not followed."
        ),
    )
