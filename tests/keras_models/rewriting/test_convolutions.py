# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models.rewriting import same
from tflite_opt.keras_models.rewriting import convolutions

pytestmark = pytest.mark.tensorflow


def _layers():
    import tf_keras as keras

    return keras.layers


def test_a_separable_convolution_is_two():
    layer = _layers().SeparableConv2D(
        5, 3, strides=2, padding="same", depth_multiplier=2, name="sep"
    )
    found = same.rewritten(
        same.chain((6, 6, 3), layer), convolutions.split_separable
    )
    assert same.kinds(found) == ["DepthwiseConv2D", "Conv2D"]
    assert found.renamed == {
        ("sep", "depthwise_kernel"): ("sep_depthwise", "depthwise_kernel"),
        ("sep", "pointwise_kernel"): ("sep", "kernel"),
    }


def test_a_separable_convolution_of_sequences_is_two():
    layer = _layers().SeparableConv1D(5, 3, activation="relu")
    found = same.rewritten(
        same.chain((6, 3), layer), convolutions.split_separable
    )
    assert same.kinds(found) == ["DepthwiseConv1D", "Conv1D"]


@pytest.mark.parametrize(("groups", "filters"), [(4, 4), (4, 8), (2, 4)])
def test_a_group_for_each_channel_is_a_depthwise_convolution(groups, filters):
    layer = _layers().Conv2D(filters, 3, groups=groups, name="conv")
    found = same.rewritten(
        same.chain((6, 6, 4), layer), convolutions.grouped_to_depthwise
    )
    is_depthwise = groups == 4
    kind = "DepthwiseConv2D" if is_depthwise else "Conv2D"
    assert same.kinds(found) == [kind]
    assert bool(found.renamed) == is_depthwise
