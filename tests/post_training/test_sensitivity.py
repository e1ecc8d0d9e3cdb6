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


@pytest.fixture(scope="module")
def normalized(tmp_path_factory):
    """Returns a network with constants in the middle, and its scan."""
    path = tmp_path_factory.mktemp("normalized") / "float.tflite"
    models.normalized(path)
    return path, sensitivity.scan(path, models.examples(60))


def test_constants_with_one_scale_together_are_scored(normalized):
    _, found = normalized
    mul, add = found.operations[3:5]
    assert [x.operation for x in (mul, add)] == ["MUL", "ADD"]
    assert mul.parameters == add.parameters == models.CHANNELS
    assert mul.int4_cost is add.int4_cost is None
    assert mul.weight_cost > 0.5 * found.total_cost
    assert 0 < add.weight_cost < 0.01 * mul.weight_cost
    # Which adds what other operations give.
    assert found.operations[6].weight_cost is None


def test_the_cost_of_constants_is_that_of_a_real_file(normalized, tmp_path):
    path, found = normalized
    only = models.quantized(path, tmp_path / "mul.tflite", operation="MUL")
    inputs = {"x": models.examples(60)["x"][:50]}
    real = divergence.distance(path, only, inputs).divergence
    assert found.operations[3].weight_cost == pytest.approx(real, rel=0.1)


def test_a_divisor_that_rounds_to_zero_costs_something_finite(tmp_path):
    network = models.Network((8, 8, 3))
    network.conv(3)
    network.elementwise("DIV", [0.01, 1.0, 100.0])
    path = network.save(tmp_path / "float.tflite")
    found = sensitivity.scan(path, models.examples(10))
    assert 0 < found.operations[1].weight_cost < 1


def test_readers_are_those_of_the_graph(normalized, found):
    _, branched = normalized
    assert branched.input_readers == (0,)
    # What is added again has two readers.
    assert [x.readers for x in branched.operations[3:7]] == [
        (4,),
        (5, 6),
        (6,),
        (7,),
    ]
    # A pad keeps the scale, so that what reads it counts as well.
    assert found.operations[2].readers == (3, 4)
    assert found.operations[-1].readers == ()


def test_an_output_is_saved_only_with_all_that_read_it(normalized):
    _, found = normalized
    mul, add, _, total = found.operations[3:7]
    pair = found.saved_by([3, 4])
    assert pair == pytest.approx(
        mul.weight_cost + mul.activation_cost + add.weight_cost
    )
    more = found.saved_by([3, 4, 6])
    assert more == pytest.approx(pair)
    every = found.saved_by([3, 4, 5, 6])
    assert every > pair + add.activation_cost
    assert every < found.total_cost
    assert total.readers == (7,)


def test_a_quantized_model_is_refused(int8_net):
    with pytest.raises(errors.ModelError, match="quantized tensors, such as"):
        sensitivity.scan(int8_net, models.examples(10))
