# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.keras_models import layer_weights
from tflite_opt.records import compression, errors

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def model():
    import tf_keras as keras

    inner_input = keras.Input((4, 4, 2))
    inner = keras.Model(
        inner_input,
        keras.layers.DepthwiseConv2D(
            2, depth_multiplier=2, use_bias=False, name="depthwise"
        )(inner_input),
        name="inner",
    )
    image = keras.Input((4, 4, 2))
    x = keras.layers.Conv2D(2, 1, name="conv")(inner(image))
    x = keras.layers.GlobalAveragePooling2D()(x)
    found = keras.Model(image, x)
    depthwise = inner.get_layer("depthwise").depthwise_kernel
    values = np.arange(16, dtype="float32").reshape(depthwise.shape)
    depthwise.assign(np.where(values < 8, 0, values))
    kernel = found.get_layer("conv").kernel
    kernel.assign([[[[0, 1], [0, 1], [2, 0], [2, 0]]]])
    return found


def _measure(model, **promise):
    return layer_weights.measure(model, [compression.Promise(**promise)])[0]


def test_a_kernel_is_measured_by_output_channel(model):
    kept = _measure(model, layer="conv", weight="kernel", zeros_of_block=(2, 4))
    assert kept.where == "keras"
    assert (kept.num_elements, kept.zero_fraction) == (8, 0.5)
    assert (kept.unique_values, kept.channel_unique_values) == (3, 2)
    assert kept.unfit_blocks == 0
    in_pairs = _measure(
        model, layer="conv", weight="kernel", zeros_of_block=(1, 2)
    )
    assert in_pairs.unfit_blocks == 2


def test_a_depthwise_kernel_has_a_channel_for_each_multiple(model):
    kept = _measure(model, layer="inner/depthwise", weight="depthwise_kernel")
    assert kept.zero_fraction == 0.5
    assert kept.unique_values == 9
    # Four channels with two zeros and two values each.
    assert kept.channel_unique_values == 3


def test_a_layer_made_of_layers_has_weights_by_their_paths():
    import tf_keras as keras

    sequence = keras.Input((3, 4))
    attention = keras.layers.MultiHeadAttention(2, 2, name="attention")
    model = keras.Model(sequence, attention(sequence, sequence))
    kept = _measure(model, layer="attention", weight="query/kernel")
    assert kept.num_elements == 4 * 2 * 2


@pytest.mark.parametrize(
    ("layer", "weight", "received"),
    [
        ("gone", "kernel", "no such layer"),
        ("conv", "depthwise_kernel", "Conv2D"),
    ],
)
def test_what_is_gone_is_an_error(model, layer, weight, received):
    with pytest.raises(errors.VerificationError, match=f"Received: {received}"):
        _measure(model, layer=layer, weight=weight)
