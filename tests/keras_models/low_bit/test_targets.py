# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests.keras_models import kinds
from tflite_opt.keras_models.low_bit import targets
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


def _model():
    import tf_keras as keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 6, 2), name="image"),
            layers.Conv2D(4, 3, name="first"),
            layers.DepthwiseConv2D(2, name="depthwise"),
            layers.Conv2D(6, 1, name="middle"),
            layers.Conv2D(2, 1, name="late"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, name="last"),
        ],
        name="net",
    )


def _chosen(model, **layers):
    found, notes = targets.choose(model, "ternary", layers)
    return {x.kernel.layer: x.values for x in found}, notes


def test_the_first_the_last_and_depthwise_kernels_are_left_alone():
    found, notes = _chosen(_model())
    assert found == {"middle": "ternary", "late": "ternary"}
    ends = "keeps all its values: The first and the last one cost most accuracy"
    assert [note.split(".")[0] for note in notes] == [
        f"first/kernel {ends}",
        "depthwise/depthwise_kernel keeps all its values: Depthwise kernels "
        "hold few weights, each of which counts",
        f"last/kernel {ends}",
    ]


def test_layers_that_are_named_have_values_of_their_own():
    found, notes = _chosen(
        _model(),
        middle="binary",
        late="float",
        first="ternary",
        depthwise="binary",
    )
    assert found == {
        "first": "ternary",
        "depthwise": "binary",
        "middle": "binary",
    }
    assert len(notes) == 1


def test_a_kernel_with_too_few_weights_is_left_alone():
    found, notes = _chosen(_model(), last="ternary", middle="float")
    assert found == {"late": "ternary"}
    assert notes[-1] == (
        "last/kernel keeps all its values: There are only 2 weights in each "
        "channel."
    )


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        (
            {"middel": "binary"},
            errors.InputError,
            "Each of `layers` must match a layer with a kernel. Received: "
            "'middel'. Layers with kernels: first, depthwise, middle, late, "
            "last.",
        ),
        (
            {"middle|late": "float"},
            errors.ModelError,
            "There must be a kernel to make ternary or binary beside the "
            "first and the last one. Received: 'net'. first/kernel keeps",
        ),
    ],
    ids=["unknown", "nothing"],
)
def test_refuses_in_one_line(layers, error, message):
    with pytest.raises(error, match=re.escape(message)):
        targets.choose(_model(), "ternary", layers)


def test_a_model_with_one_kernel_is_refused():
    with pytest.raises(errors.ModelError, match="beside the first and the las"):
        targets.choose(kinds.build("conv_bn"), "binary", {})
