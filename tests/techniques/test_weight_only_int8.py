# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tests.techniques import fake_context
from tflite_opt.records import errors
from tflite_opt.techniques import weight_only_int8


def test_asks_for_weights_alone():
    context = fake_context.FakeContext()
    weight_only_int8.WeightOnlyInt8().convert(context)
    (rule,) = context.rules
    assert (rule.operation, rule.mode) == ("*", "weight_only")


def test_rejects_quantized_activations():
    model = factories.model_facts(
        factories.tensor(0, role="weight", dtype="int8", scales=4),
        factories.tensor(1, dtype="int8", scales=1),
    )
    with pytest.raises(errors.VerificationError, match="1 quantized activ"):
        weight_only_int8.WeightOnlyInt8().verify(model)


def test_rejects_a_file_in_which_nothing_was_quantized():
    model = factories.model_facts(factories.tensor(0, role="weight"))
    with pytest.raises(errors.VerificationError, match="0% of the weights"):
        weight_only_int8.WeightOnlyInt8().verify(model)
