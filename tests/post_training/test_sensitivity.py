# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.post_training import models
from tflite_opt.conversion import litert_quantizer
from tflite_opt.post_training import divergence, sensitivity
from tflite_opt.records import conversion, errors


@pytest.fixture(scope="module")
def found(float_net):
    return sensitivity.scan(float_net, models.examples(60))


def test_each_operation_has_its_costs(found):
    assert [x.operation for x in found.operations] == [
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "CONV_2D",
        "PAD",
        "DEPTHWISE_CONV_2D",
        "CONV_2D",
        "RESHAPE",
        "FULLY_CONNECTED",
        "SOFTMAX",
    ]
    assert found.num_examples == 50
    assert found.input_cost > 0
    for x in found.operations:
        has_weights = x.parameters > 0
        assert (x.weight_cost is not None) == has_weights
        if has_weights:
            assert x.activation_cost > 0
            assert x.int4_cost > 10 * x.weight_cost > 0


def test_what_keeps_the_scale_of_its_input_costs_nothing(found):
    for x in found.operations:
        if x.operation in ("PAD", "RESHAPE"):
            assert x.activation_cost == 0


def test_what_comes_behind_the_logits_costs_nothing(found):
    assert found.operations[-1].activation_cost == 0


def test_costs_add_up_to_about_that_of_the_whole(found, float_net, int8_net):
    inputs = {"x": models.examples(60)["x"][:50]}
    whole = divergence.distance(float_net, int8_net, inputs).divergence
    total = found.prefix_cost(len(found.operations))
    assert 0.2 < total / whole < 5


def test_the_cost_of_weights_in_int4_is_that_of_a_real_file(
    found, float_net, tmp_path
):
    inputs = {"x": models.examples(60)["x"][:50]}
    path = tmp_path / "int4.tflite"
    rule = conversion.QuantizerRule(
        operation="FULLY_CONNECTED",
        mode="weight_only",
        weight_bits=4,
        algorithm="octav",
    )
    path.write_bytes(litert_quantizer.quantize(float_net, [rule], None))
    real = divergence.distance(float_net, path, inputs).divergence
    # Which has no corrected bias.
    assert found.operations[7].int4_cost <= 1.2 * real
    assert found.operations[7].int4_cost > 0.05 * real


def test_a_longer_prefix_saves_more(found):
    costs = [found.prefix_cost(k) for k in range(1, 10)]
    assert np.all(np.diff(costs) >= 0)
    assert costs[0] == pytest.approx(
        found.input_cost + found.operations[0].weight_cost
    )


def test_a_quantized_model_is_refused(int8_net):
    with pytest.raises(errors.ModelError, match="quantized tensors, such as"):
        sensitivity.scan(int8_net, models.examples(10))
