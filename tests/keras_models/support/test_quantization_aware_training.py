# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models import kinds
from tests.keras_models.support import examined
from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.support import quantization_aware_training

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("kind", "layer", "status", "reason", "fix"),
    [
        ("conv_bn", "conv", "applies", "", ""),
        ("conv_bn", "bn", "neutral", "part of other layers", ""),
        ("separable", "separable", "applies", "", ""),
        ("conv_relu_bn", "bn", "applies", "", ""),
        ("preactivation", "bn", "applies", "", ""),
        ("two_readers", "bn", "applies", "", ""),
        ("conv_then_relu", "conv", "applies", "", ""),
        ("conv_then_relu", "relu", "applies", "", ""),
        ("lambda", "lambda", "applies", "", ""),
        ("multiply", "multiply", "applies", "", ""),
        ("conv1d", "conv", "applies", "", ""),
        ("prelu", "prelu", "applies", "quantized after training", ""),
        ("custom", "scale", "applies", "quantized after training", ""),
        ("einsum_dense", "einsum", "applies", "", ""),
        ("attention", "attention", "applies", "", ""),
        ("lstm", "lstm", "blocked", "recurrent layer", "after training"),
        ("bidirectional", "both", "blocked", "recurrent", "after training"),
    ],
)
def test_says_what_becomes_of_a_layer(kind, layer, status, reason, fix):
    support = quantization_aware_training.QuantizationAwareTrainingSupport()
    found = examined.verdict(support, kind, layer)
    assert found.status == status
    assert reason in found.reason
    assert bool(found.reason) == bool(reason)
    assert fix in found.fix


def test_an_activation_blocks_the_layer_that_it_is_part_of():
    found = layer_support.examine(kinds.build("conv_elu"))
    (blocked,) = found.with_status("quantization_aware_training", "blocked")
    assert blocked.class_name == "Conv2D"
    verdict = blocked.verdicts["quantization_aware_training"]
    assert verdict.reason == "TFLite has no integer ELU."


def test_layers_inside_a_nested_model_have_verdicts_of_their_own():
    found = layer_support.examine(kinds.build("nested"))
    status = {
        x.path: x.verdicts["quantization_aware_training"].status
        for x in found.layers
    }
    assert status == {
        "inner": "neutral",
        "inner/conv": "applies",
        "inner/bn": "neutral",
        "relu": "applies",
    }
