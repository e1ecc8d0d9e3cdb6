# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests.keras_models import kinds, tiny
from tflite_opt.keras_models.clustering import targets
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


def choose(model, clusters=4, layers=(), per_channel=False):
    found, notes = targets.choose(
        model,
        clusters,
        dict(layers),
        per_channel=per_channel,
        keeps_zeros=False,
    )
    return {str(x.kernel): x.number_of_clusters for x in found}, notes


def test_kernels_with_more_weights_than_clusters_are_clustered():
    found, notes = choose(tiny.classifier(), 36)
    assert found == {"scores/kernel": 36}
    assert notes == (
        "conv/kernel is not clustered: There are only 36 weights in it.",
    )
    found, notes = choose(tiny.classifier(), 9, per_channel=True)
    assert found == {"scores/kernel": 9}
    assert "There are only 9 weights in each channel." in notes[0]


def test_layers_have_numbers_of_their_own_or_are_left_alone():
    found, notes = choose(tiny.classifier(), layers={"sco.*": 8, ".*": 2})
    assert found == {"conv/kernel": 2, "scores/kernel": 8}
    found, notes = choose(tiny.classifier(), layers={"conv": 0})
    assert found == {"scores/kernel": 4}
    assert notes == ()


def test_a_depthwise_kernel_is_clustered_when_it_is_named():
    model = kinds.build("separable")
    assert list(choose(model)[0]) == ["separable/pointwise_kernel"]
    assert list(choose(model, layers={"separable": 4})[0]) == [
        "separable/depthwise_kernel",
        "separable/pointwise_kernel",
    ]


@pytest.mark.parametrize(
    ("kind", "layers", "message"),
    [
        (
            "conv_bn",
            {"convolution": 4},
            "Each of `layers` must match a layer with a kernel. Received: "
            "'convolution'. Layers with kernels: conv.",
        ),
        ("pooling", {"dense.*": 0}, "Clustering needs a kernel with more"),
        ("hard_sigmoid", {}, "It has none."),
        ("depthwise", {}, "Depthwise kernels hold few weights"),
    ],
)
def test_refuses_when_nothing_is_clustered(kind, layers, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        choose(kinds.build(kind), layers=layers)
