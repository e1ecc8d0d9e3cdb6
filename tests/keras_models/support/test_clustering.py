# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models.support import examined
from tflite_opt.keras_models.support import clustering

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("kind", "layer", "status", "reason", "fix"),
    [
        ("nested", "relu", "neutral", "", ""),
        ("conv_relu_bn", "bn", "neutral", "", ""),
        (
            "conv_bn",
            "conv",
            "applies",
            "Per-channel clustering skips it: it has no bias.",
            "Fold batch normalization",
        ),
        ("depthwise", "depthwise", "left_out", "never clusters depthwise", ""),
        ("tiny_kernel", "conv", "left_out", "too few weights for 16", ""),
        ("frozen", "conv", "blocked", "refuses a frozen Conv2D", "trainable"),
        ("prelu", "prelu", "blocked", "PReLU", "LeakyReLU"),
        ("custom", "scale", "blocked", "Scale", "ClusterableLayer"),
    ],
)
def test_says_what_becomes_of_a_layer(kind, layer, status, reason, fix):
    found = examined.verdict(clustering.ClusteringSupport(), kind, layer)
    assert found.status == status
    assert reason in found.reason
    assert bool(found.reason) == bool(reason)
    assert fix in found.fix
