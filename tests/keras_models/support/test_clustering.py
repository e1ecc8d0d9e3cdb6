# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models import kinds
from tests.keras_models.support import examined
from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.clustering import targets
from tflite_opt.keras_models.support import clustering
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("kind", "layer", "status", "reason", "fix"),
    [
        ("nested", "relu", "neutral", "", ""),
        ("conv_relu_bn", "bn", "neutral", "", ""),
        ("conv_bn", "conv", "applies", "", ""),
        ("frozen", "conv", "applies", "", ""),
        ("separable", "separable", "left_out", "hold few weights", ""),
        ("depthwise", "depthwise", "left_out", "hold few weights", ""),
        ("tiny_kernel", "conv", "left_out", "only 6 weights in it", ""),
        ("prelu", "prelu", "left_out", "No weight of PReLU is one of", ""),
        ("custom", "scale", "left_out", "No weight of Scale is one of", ""),
    ],
)
def test_says_what_becomes_of_a_layer(kind, layer, status, reason, fix):
    found = examined.verdict(clustering.ClusteringSupport(), kind, layer)
    assert found.status == status
    assert reason in found.reason
    assert bool(found.reason) == bool(reason)
    assert fix in found.fix


@pytest.mark.parametrize(
    "kind", ["conv_bn", "nested", "depthwise", "attention", "bidirectional"]
)
def test_the_table_says_what_the_technique_does(kind):
    model = kinds.build(kind)
    layers = dict(layer_support.walk(model))
    found = clustering.ClusteringSupport().examine(model, layers)
    listed = {
        path
        for path, verdict in found.verdicts.items()
        if verdict.status == "applies"
    }
    try:
        chosen, _ = targets.choose(
            model, 16, {}, per_channel=False, keeps_zeros=False
        )
    except errors.ModelError:
        chosen = ()
    assert listed == {target.kernel.layer for target in chosen}
    assert bool(listed) == (kind != "depthwise")
