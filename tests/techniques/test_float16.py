# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tests.techniques import fake_context
from tflite_opt.records import errors
from tflite_opt.techniques import float16


def test_asks_the_converter_for_float16():
    context = fake_context.FakeContext()
    converted = float16.Float16().convert(context)
    assert converted.backend == "tflite_converter"
    assert context.options.supported_types == ("float16",)
    assert context.options.optimize


def test_rejects_a_file_that_kept_float32_weights():
    model = factories.model_facts(
        factories.tensor(0, role="weight", dtype="float16", num_elements=30),
        factories.tensor(1, role="weight", dtype="float32", num_elements=10),
    )
    with pytest.raises(errors.VerificationError, match=r"75\.0%"):
        float16.Float16().verify(model)
