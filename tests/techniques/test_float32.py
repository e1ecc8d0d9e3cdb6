# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tests.techniques import fake_context
from tflite_opt.records import errors
from tflite_opt.techniques import float32


def test_it_is_the_frozen_model_itself(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"the model")
    context = fake_context.FakeContext(float_model=path)
    assert float32.Float32().convert(context).content == b"the model"


def test_rejects_a_file_with_quantized_weights():
    model = factories.model_facts(
        factories.tensor(0, role="weight", dtype="int8"),
        factories.tensor(1, role="weight"),
    )
    with pytest.raises(errors.VerificationError, match=r"50\.0%"):
        float32.Float32().verify(model)


def test_accepts_a_model_without_weights():
    float32.Float32().verify(factories.model_facts(factories.tensor(0)))
