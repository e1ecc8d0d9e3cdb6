# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models.channels import blocks
from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.support import channel_pruning
from tflite_opt.records import preflight

pytestmark = pytest.mark.tensorflow


def _examine(model):
    return channel_pruning.ChannelPruningSupport().examine(
        model, dict(layer_support.walk(model))
    )


def test_says_which_channels_go_together():
    found = _examine(blocks.inverted_residual())
    stem = preflight.Verdict(
        status="applies", reason="6 channels of stem, project go together."
    )
    expand = preflight.Verdict(
        status="applies", reason="12 channels of expand."
    )
    assert found.verdicts["stem"] == found.verdicts["project"] == stem
    assert found.verdicts["expand"] == found.verdicts["depthwise"] == expand
    assert found.verdicts["logits"] == preflight.Verdict(
        status="applies", reason="The model's outputs keep their size."
    )
    assert not found.rejection


def test_says_what_normalizes_over_channels():
    found = _examine(blocks.layer_norm())
    assert found.verdicts["stem"].reason == (
        "8 channels of stem, over which norm normalizes."
    )


@pytest.mark.parametrize(
    ("builder", "layer", "reason"),
    [
        (blocks.grouped, "stem", "4 units of stem."),
        (blocks.attention, "attention", "4 units of attention."),
    ],
    ids=["grouped", "attention"],
)
def test_says_that_several_channels_are_one_unit(builder, layer, reason):
    assert _examine(builder()).verdicts[layer].reason == reason


def test_goes_into_nested_models():
    found = _examine(blocks.nested())
    assert found.verdicts["mid/inner/conv"].reason == (
        "6 channels of stem, mid/inner/conv go together."
    )
    assert found.verdicts["mid/inner"].status == "neutral"
