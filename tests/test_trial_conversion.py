# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.keras_models import tiny
from tflite_opt import trial_conversion
from tflite_opt.keras_models import freezing
from tflite_opt.tflite import facts, interpreter


@pytest.mark.slow
@pytest.mark.tensorflow
def test_makes_a_file_of_the_dtype(tmp_path):
    model = tiny.classifier()
    converter = trial_conversion.TrialConverter(tiny.split())
    path = tmp_path / "model.tflite"
    converter.convert(model, "float32", path)
    inputs = {"image": tiny.split().inputs["x"]}
    (expected,) = freezing.predict(model, inputs).values()
    (found,) = interpreter.predict(path, inputs).values()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    converter.convert(model, "int8", path)
    assert facts.read_facts(path).quantized_weight_fraction == 1
