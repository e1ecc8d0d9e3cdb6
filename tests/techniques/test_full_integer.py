# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tests.techniques import fake_context
from tflite_opt import recipe
from tflite_opt.records import errors
from tflite_opt.techniques import full_integer


def test_takes_the_quantizer_where_it_covers_every_operation():
    context = fake_context.FakeContext()
    converted = full_integer.FullInteger().convert(context)
    assert converted.backend == "litert_quantizer"
    assert context.policy == "static_wi8_ai8"
    (rule,) = context.rules
    assert (rule.operation, rule.mode, rule.weight_bits) == ("*", "static", 8)


def test_takes_the_converter_for_other_operations_and_says_why():
    context = fake_context.FakeContext(unsupported=("PRELU",))
    converted = full_integer.FullInteger().convert(context)
    assert converted.backend == "tflite_converter"
    assert "PRELU" in converted.notes[0]
    assert context.options.supported_ops == "TFLITE_BUILTINS_INT8"
    assert context.options.representative_dataset


@pytest.mark.parametrize(
    ("dtype", "mode", "unsigned"),
    [("uint8", "static", True), ("float32", "none", False)],
)
def test_the_interface_gets_rules_of_its_own(dtype, mode, unsigned):
    context = fake_context.FakeContext()
    full_integer.FullInteger(
        inference_input_type=dtype, inference_output_type=dtype
    ).convert(context)
    rules = {rule.operation: rule for rule in context.rules}
    for operation in ("INPUT", "OUTPUT"):
        assert rules[operation].mode == mode
        assert rules[operation].unsigned_activations is unsigned


def test_granularity_and_symmetry_reach_the_rules():
    context = fake_context.FakeContext()
    full_integer.FullInteger(
        granularity="per_tensor", symmetric_activations=True
    ).convert(context)
    assert context.rules[0].granularity == "per_tensor"
    assert context.rules[0].symmetric_activations


def test_rejects_symmetric_activations_of_the_converter():
    with pytest.raises(errors.InputError, match="symmetric_activations=True"):
        full_integer.FullInteger(
            symmetric_activations=True, backend="tflite_converter"
        )


def test_octav_reaches_the_rules():
    context = fake_context.FakeContext()
    full_integer.FullInteger(
        weight_algorithm="octav", activation_algorithm="octav"
    ).convert(context)
    (rule,) = context.rules
    assert rule.algorithm == rule.activation_algorithm == "octav"


def test_rejects_octav_of_the_converter():
    with pytest.raises(
        errors.InputError,
        match="Received: activation_algorithm=octav, backend=tflite_converter",
    ):
        full_integer.FullInteger(
            activation_algorithm="octav", backend="tflite_converter"
        )


def test_rejects_ranges_of_weights_that_only_lose():
    with pytest.raises(errors.InputError, match="mse"):
        full_integer.FullInteger(weight_algorithm="mse")


def test_presets_have_true_ranges():
    found = [
        preset.convert.activation_algorithm
        for preset in recipe.presets().values()
        if isinstance(preset.convert, full_integer.FullInteger)
    ]
    assert len(found) > 10
    assert set(found) == {"min_max"}


def test_rejects_an_int16_interface():
    with pytest.raises(errors.InputError, match="Use int16x8"):
        full_integer.FullInteger(inference_input_type="int16")


def test_rejects_a_float_weight_left_behind():
    model = factories.model_facts(
        factories.tensor(0, role="weight", dtype="int8"),
        factories.tensor(1, role="weight", dtype="int16"),
        inputs="int8",
        outputs="int8",
    )
    with pytest.raises(errors.VerificationError, match=r"50\.0%"):
        full_integer.FullInteger().verify(model)


def test_rejects_another_interface_than_promised():
    model = factories.model_facts(inputs="float32", outputs="int8")
    with pytest.raises(errors.VerificationError, match="inputs of float32"):
        full_integer.FullInteger().verify(model)


def test_a_quantization_aware_model_needs_the_converter():
    context = fake_context.FakeContext(is_quantization_aware=True)
    made = full_integer.FullInteger().convert(context)
    assert made.backend == "tflite_converter"
    assert made.notes == ()
    assert context.options.representative_dataset


@pytest.mark.parametrize(
    ("technique", "takes"),
    [
        (full_integer.FullInteger(), True),
        (full_integer.FullInteger(backend="litert_quantizer"), False),
        (full_integer.FullInteger(symmetric_activations=True), False),
    ],
)
def test_only_the_converter_takes_trained_ranges(technique, takes):
    assert technique.takes_fake_quantization is takes
