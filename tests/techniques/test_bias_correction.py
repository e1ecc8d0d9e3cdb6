# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.post_training import models
from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.techniques import base, bias_correction
from tflite_opt.tflite import facts


def test_corrects_all_layers_and_proves_it(tmp_path):
    parent = models.separable(tmp_path / "float.tflite")
    model = models.quantized(parent, tmp_path / "int8.tflite")
    destination = tmp_path / "corrected.tflite"
    technique = bias_correction.BiasCorrection()
    sentence = technique.fit(parent, model, destination, models.examples(20))
    assert sentence == (
        "Biases corrected in 6 of 6 layers with quantized weights."
    )
    technique.verify(*map(facts.read_facts, (model, destination)))


def test_survives_its_recipe_form():
    technique = bias_correction.BiasCorrection()
    assert base.from_recipe(technique.to_recipe()) == technique


def test_a_file_of_another_model_is_refused(tmp_path):
    parent = handmade.dense_with_signature().save(tmp_path / "dense.tflite")
    float_net = models.separable(tmp_path / "float.tflite")
    model = models.quantized(float_net, tmp_path / "int8.tflite")
    with pytest.raises(errors.DataError, match="must have the shape"):
        bias_correction.BiasCorrection().fit(
            parent, model, tmp_path / "x", models.examples(20)
        )
