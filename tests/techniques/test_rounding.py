# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.post_training import models
from tflite_opt.post_training import acceptance
from tflite_opt.records import errors
from tflite_opt.techniques import base, bias_correction, rounding
from tflite_opt.tflite import facts


@pytest.fixture(scope="module")
def int4_convolutions(tmp_path_factory):
    """Returns a network whose error is that of its weights."""
    folder = tmp_path_factory.mktemp("int4")
    parent = models.separable(folder / "float.tflite")
    model = models.quantized(
        parent,
        folder / "int4.tflite",
        mode="dynamic",
        operation="CONV_2D",
        weight_bits=4,
    )
    return parent, model


def test_rounds_weights_so_that_outputs_are_closer(int4_convolutions, tmp_path):
    parent, model = int4_convolutions
    rounded, corrected = (tmp_path / name for name in ("r.tflite", "b.tflite"))
    fitting = models.examples(60)
    technique = rounding.Rounding()
    sentence = technique.fit(parent, model, rounded, fitting)
    assert sentence == (
        "Weights rounded anew in 3 of 3 layers with quantized weights."
    )
    technique.verify(*map(facts.read_facts, (model, rounded)))
    bias_correction.BiasCorrection().fit(parent, model, corrected, fitting)
    judgement = acceptance.judge(
        parent, corrected, rounded, models.examples(60, seed=8)
    )
    assert judgement.after.divergence < judgement.before.divergence


@pytest.mark.parametrize("ridge", [0.0, -1.0])
def test_rejects_a_ridge_that_is_no_positive_number(ridge):
    with pytest.raises(errors.InputError, match=f"Received: ridge={ridge}"):
        rounding.Rounding(ridge=ridge)


def test_survives_its_recipe_form():
    technique = rounding.Rounding(ridge=2.0)
    assert base.from_recipe(technique.to_recipe()) == technique
    assert technique.describe() == "rounding(ridge=2.0)"
