# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.keras_models import kinds
from tflite_opt.keras_models import kernels, layer_weights
from tflite_opt.records import compression, errors

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("conv_bn", ["conv/kernel"]),
        ("nested", ["inner/conv/kernel"]),
        (
            "separable",
            ["separable/depthwise_kernel", "separable/pointwise_kernel"],
        ),
        ("lstm", ["lstm/kernel", "lstm/recurrent_kernel"]),
        (
            "bidirectional",
            [
                "both/forward_layer.cell.kernel",
                "both/forward_layer.cell.recurrent_kernel",
                "both/backward_layer.cell.kernel",
                "both/backward_layer.cell.recurrent_kernel",
            ],
        ),
        ("time_distributed", ["time_distributed/layer.kernel"]),
        ("prelu", ["conv2d/kernel"]),
    ],
)
def test_kernels_are_found_and_can_be_promised(kind, names):
    model = kinds.build(kind)
    found = kernels.find(model)
    assert [re.sub(r"(2d|uted)_\d+", r"\1", str(x)) for x in found] == names
    promises = [
        compression.Promise(layer=x.layer, weight=x.weight) for x in found
    ]
    for kernel, kept in zip(
        found, layer_weights.measure(model, promises), strict=True
    ):
        assert kept.num_elements == kernel.num_elements


def test_the_four_kernels_of_an_attention_are_found():
    found = kernels.find(kinds.build("attention"))
    assert [x.weight for x in found[2:]] == [
        "_query_dense.kernel",
        "_key_dense.kernel",
        "_value_dense.kernel",
        "_output_dense.kernel",
    ]


def test_depthwise_kernels_and_output_channels_are_told():
    from tf_keras import layers

    made = {
        "transposed": layers.Conv2DTranspose(3, 2),
        "depthwise": layers.DepthwiseConv2D(3),
        "grouped": layers.Conv2D(4, 3, groups=4),
        "shared": None,
    }
    made["shared"] = made["transposed"]
    for layer in (made["transposed"], made["depthwise"], made["grouped"]):
        layer.build((None, 8, 8, 4))
    found = {x.layer: x for x in kernels.of_layers(made.items())}
    assert list(found) == ["transposed", "depthwise", "grouped"]
    assert found["transposed"].output_axis == -2
    assert found["transposed"].variable.shape[-2] == 3
    assert found["depthwise"].is_depthwise
    assert found["grouped"].is_depthwise
    assert not found["transposed"].is_depthwise


def test_channels_of_a_transposed_convolution_are_measured():
    model = kinds.build("transpose")
    (kernel,) = kernels.find(model)
    # Shape (3, 3, 4 outputs, 3 inputs): one value for each output.
    kernel.variable.assign(
        np.broadcast_to(np.arange(4.0)[:, None], kernel.variable.shape)
    )
    (kept,) = layer_weights.measure(
        model, [compression.Promise(layer=kernel.layer, weight="kernel")]
    )
    assert kept.channel_unique_values == 1
    assert kept.unique_values == 4


def test_refuses_what_is_no_regular_expression():
    with pytest.raises(errors.InputError, match=re.escape("Received: '('")):
        kernels.check_patterns(["conv", "("])
