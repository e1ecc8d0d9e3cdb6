# SPDX-License-Identifier: Apache-2.0
import numpy as np

from tests.post_training import models
from tflite_opt.techniques import base, equalization
from tflite_opt.tflite import interpreter


def test_prepares_a_float_model_of_the_same_function(tmp_path):
    model = models.separable(tmp_path / "float.tflite")
    prepared = tmp_path / "prepared.tflite"
    inputs = models.examples(20)
    (note,) = equalization.Equalization().prepare(model, prepared, inputs)
    assert note.startswith("Equalized ")
    assert " of 2 tensors before depthwise convolutions" in note
    assert prepared.read_bytes() != model.read_bytes()
    expected, found = (
        interpreter.predict(path, inputs)["y"] for path in (model, prepared)
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_survives_its_recipe_form():
    technique = equalization.Equalization()
    assert base.from_recipe(technique.to_recipe()) == technique
    assert isinstance(technique, base.PreparationTechnique)
