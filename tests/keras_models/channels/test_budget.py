# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tflite_opt.keras_models.channels import budget, selection
from tflite_opt.records import channel_budget, errors


def choices(**limits):
    generator = np.random.default_rng(0)
    return selection.Choices(
        {name: generator.random(64) for name in ("wide", "narrow")},
        {"wide": 1, "narrow": 1},
        "global",
        selection.Limits(**{"min_fraction": 0.1, "round_to": 8} | limits),
    )


def cost(widths):
    return 9.0 * widths["wide"] + widths["narrow"]


def solved(fraction, **limits):
    return budget.solve(
        choices(**limits),
        cost,
        cost({"wide": 64, "narrow": 64}),
        channel_budget.Budget(kind="macs", fraction=fraction),
    )


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.77, 0.99])
def test_uses_up_the_budget_and_no_more(fraction):
    widths = solved(fraction)
    assert cost(widths) <= fraction * 640
    for name, width in widths.items():
        assert width % 8 == 0
        if width < 64:
            assert cost(widths | {name: width + 8}) > fraction * 640


def test_what_cannot_be_reached_says_how_far_it_goes_and_why():
    message = (
        "`macs` must be reachable: the smallest is 0.25. Received: macs=0.2. "
        "'wide', which keeps at least 16 of 64, limits it most."
    )
    with pytest.raises(errors.InputError, match=re.escape(message)):
        solved(0.2, min_fraction=0.25)
    assert cost(solved(0.25, min_fraction=0.25)) == 160


def test_a_protected_group_limits_too():
    with pytest.raises(errors.InputError, match="smallest is 0.913.*'wide'"):
        solved(0.5, protected=("wide",))
