# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.post_training import models
from tflite_opt.post_training import octav


def _squared_error(values, low, high, num_bits):
    step = (high - low) / (2**num_bits - 1)
    clipped = np.clip(values, low, high)
    return np.mean((np.rint((clipped - low) / step) * step + low - values) ** 2)


@pytest.mark.parametrize("num_bits", [4, 8])
@pytest.mark.parametrize("is_one_sided", [False, True])
def test_no_other_clipping_has_a_much_smaller_error(num_bits, is_one_sided):
    values = np.random.default_rng(0).laplace(size=20_000)
    values = np.abs(values) if is_one_sided else values

    def error(clip):
        low = 0.0 if is_one_sided else -clip
        return _squared_error(values, low, clip, num_bits)

    found = octav.clipping_value(values, num_bits)
    largest = np.abs(values).max()
    best = min(error(x) for x in np.linspace(largest / 50, largest, 200))
    assert error(found) < 1.1 * best
    assert found <= largest


def test_nothing_but_zeros_is_not_clipped():
    assert octav.clipping_value(np.zeros(5), 8) == 0.0


def test_inputs_and_what_leads_to_outputs_keep_their_ranges(float_net):
    found = octav.activation_ranges(float_net, models.examples(20), 4)
    assert set(found) == {
        "CONV_2D_0",
        "DEPTHWISE_CONV_2D_1",
        "CONV_2D_2",
        "PAD_3",
        "DEPTHWISE_CONV_2D_4",
        "CONV_2D_5",
        "RESHAPE_6",
    }
    for low, high in found.values():
        assert low == -high < 0
