# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tests.techniques import fake_context
from tflite_opt.records import errors
from tflite_opt.techniques import dynamic_range


def test_leaves_depthwise_convolutions_alone_by_default():
    context = fake_context.FakeContext()
    converted = dynamic_range.DynamicRange().convert(context)
    assert converted.backend == "litert_quantizer"
    operations = {rule.operation for rule in context.rules}
    assert "DEPTHWISE_CONV_2D" not in operations
    assert operations >= {"CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL"}
    assert {rule.mode for rule in context.rules} == {"dynamic"}


@pytest.mark.parametrize(
    ("name", "new"), [("UNIDIRECTIONAL_SEQUENCE_LSTM", False), ("GATHER", True)]
)
def test_what_the_quantizer_cannot_do_goes_to_the_converter(name, new):
    context = fake_context.FakeContext(
        float_facts=factories.model_facts(
            factories.tensor(0, role="weight"), operators=((name, (0,)),)
        )
    )
    converted = dynamic_range.DynamicRange().convert(context)
    assert converted.backend == "tflite_converter"
    assert context.options.optimize
    assert context.options.new_dynamic_range_quantizer is new


def test_a_gather_without_a_table_of_weights_is_no_reason():
    context = fake_context.FakeContext(
        float_facts=factories.model_facts(operators=(("GATHER", ()),))
    )
    converted = dynamic_range.DynamicRange().convert(context)
    assert converted.backend == "litert_quantizer"


def test_rejects_a_file_in_which_nothing_was_quantized():
    model = factories.model_facts(factories.tensor(0, role="weight"))
    with pytest.raises(errors.VerificationError, match="0% of the weights"):
        dynamic_range.DynamicRange().verify(model)


def test_rejects_an_integer_interface():
    model = factories.model_facts(
        factories.tensor(0, role="weight", dtype="int8"), inputs="int8"
    )
    with pytest.raises(errors.VerificationError, match="int8"):
        dynamic_range.DynamicRange().verify(model)
