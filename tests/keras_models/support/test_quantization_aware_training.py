# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models import kinds
from tests.keras_models.support import examined
from tflite_opt.keras_models.support import (
    base,
    quantization_aware_training,
)

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("kind", "layer", "status", "reason", "fix"),
    [
        ("conv_bn", "conv", "applies", "", ""),
        ("conv_bn", "bn", "neutral", "", ""),
        ("separable", "separable", "applies", "replaces it", ""),
        (
            "conv_relu_bn",
            "bn",
            "blocked",
            "Its Conv2D has the activation relu already.",
            "convolution without activation",
        ),
        ("preactivation", "bn", "blocked", "behind MaxPooling2D", "folds it"),
        ("two_readers", "bn", "blocked", "Other layers read its", "folds it"),
        (
            "conv_then_relu",
            "conv",
            "left_out",
            "weights in float before a ReLU layer",
            "activation='relu'",
        ),
        ("lambda", "lambda", "left_out", "in float", "QuantizeConfig"),
        ("nested", "inner", "blocked", "inside a model", "flat model"),
        ("multiply", "multiply", "blocked", "Multiply", "QuantizeConfig"),
        ("conv1d", "conv", "blocked", "Conv1D", "2-D layer"),
        ("custom", "scale", "blocked", "Scale", "QuantizeConfig"),
    ],
)
def test_says_what_becomes_of_a_layer(kind, layer, status, reason, fix):
    support = quantization_aware_training.QuantizationAwareTrainingSupport()
    found = examined.verdict(support, kind, layer)
    assert found.status == status
    assert reason in found.reason
    assert bool(found.reason) == bool(reason)
    assert fix in found.fix


def test_all_refused_layers_are_named_not_only_the_first():
    model = kinds.build("operator")
    model.layers[1].activation = _elu()
    support = quantization_aware_training.QuantizationAwareTrainingSupport()
    found = support.examine(model, base.own_layers(model)).verdicts
    reasons = [v.reason for v in found.values() if v.status == "blocked"]
    assert reasons == [
        "TF-MOT does not know Conv2D with elu.",
        "TF-MOT does not know TFOpLambda.",
    ]


def _elu():
    import tf_keras as keras

    return keras.activations.elu
