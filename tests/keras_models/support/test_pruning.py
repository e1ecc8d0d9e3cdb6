# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models.support import examined
from tflite_opt.keras_models.support import pruning

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("kind", "layer", "status", "reason", "fix"),
    [
        ("conv_bn", "conv", "applies", "", ""),
        ("conv_bn", "bn", "neutral", "", ""),
        ("depthwise", "depthwise", "left_out", "never prunes depthwise", ""),
        (
            "rescaling",
            "rescaling",
            "blocked",
            "TF-MOT does not know Rescaling.",
            "preprocessing",
        ),
        ("prelu", "prelu", "blocked", "PReLU", "LeakyReLU"),
        ("custom", "scale", "blocked", "Scale", "PrunableLayer"),
    ],
)
def test_says_what_becomes_of_a_layer(kind, layer, status, reason, fix):
    found = examined.verdict(pruning.PruningSupport(), kind, layer)
    assert found.status == status
    assert reason in found.reason
    assert bool(found.reason) == bool(reason)
    assert fix in found.fix
