# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.post_training import models
from tflite_opt.post_training import clipping, operation_runner


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

    found = clipping.octav_magnitude(values, num_bits)
    largest = np.abs(values).max()
    best = min(error(x) for x in np.linspace(largest / 50, largest, 200))
    assert error(found) < 1.1 * best
    assert found <= largest


def test_nothing_but_zeros_is_not_clipped():
    assert clipping.octav_magnitude(np.zeros(5), 8) == 0.0


def test_inputs_and_what_leads_to_outputs_keep_their_ranges(float_net):
    found = clipping.activation_ranges(
        float_net, models.examples(20), 4, "octav"
    )
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


def test_each_way_to_find_a_range_does_what_it_says(float_net):
    inputs = models.examples(60)
    runner = operation_runner.OperationRunner(float_net, inputs)
    graph = runner.graph
    position = next(
        i
        for i, operator in enumerate(graph.operators)
        if graph.tensors[operator.outputs[0]].name == "CONV_2D_2"
    )
    runner.run_before(position + 1)
    values = runner.value(graph.operators[position].outputs[0])
    low, high = values.min(), values.max()
    found = {
        name: clipping.activation_ranges(float_net, inputs, 4, name)[
            "CONV_2D_2"
        ]
        for name in ("mse", "percentile", "moving_average")
    }
    kept = np.mean(
        (values >= found["percentile"][0]) & (values <= found["percentile"][1])
    )
    assert 0.9995 < kept < 1
    true_error = _squared_error(values, low, high, 4)
    assert _squared_error(values, *found["mse"], 4) < true_error
    each = values.reshape(60, -1).max(axis=1)
    average = each[0]
    for one in each[1:]:
        average = 0.95 * average + 0.05 * one
    assert found["moving_average"][1] == pytest.approx(average)
    for name, (lowest, highest) in found.items():
        assert low <= lowest <= 0 <= highest < high, name
