# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tests.techniques import fake_context
from tflite_opt.records import errors
from tflite_opt.techniques import int16x8


def test_asks_for_symmetric_16_bit_activations():
    context = fake_context.FakeContext()
    int16x8.Int16x8().convert(context)
    rules = {rule.operation: rule for rule in context.rules}
    assert rules["*"].activation_bits == 16
    assert rules["*"].weight_bits == 8
    assert rules["*"].symmetric_activations
    assert rules["INPUT"].mode == rules["OUTPUT"].mode == "none"


def test_takes_the_converter_where_the_quantizer_lacks_an_operation():
    context = fake_context.FakeContext(unsupported=("HARD_SWISH",))
    assert int16x8.Int16x8().convert(context).backend == "tflite_converter"
    assert "INT16_WEIGHTS_INT8" in context.options.supported_ops


def test_rejects_a_file_without_int16_activations():
    model = factories.model_facts(
        factories.tensor(0, role="weight", dtype="int8"),
        factories.tensor(1, dtype="int8"),
    )
    with pytest.raises(errors.VerificationError, match="no int16 activation"):
        int16x8.Int16x8().verify(model)


def test_rejects_an_int8_interface():
    with pytest.raises(errors.InputError, match="float32 or int16"):
        int16x8.Int16x8(inference_input_type="int8")
