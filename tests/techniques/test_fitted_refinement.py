# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests import factories
from tests.post_training import models
from tflite_opt.records import errors
from tflite_opt.techniques import bias_correction, fitted_refinement


class _Useless(fitted_refinement.FittedRefinement):
    """Changes a file for the worse."""

    technique = "useless"

    def fit(self, parent, model, destination, fitting):
        models.shifted(model, destination)
        return "Shifted a bias."


@pytest.fixture
def nets(tmp_path):
    parent = models.separable(tmp_path / "float.tflite")
    return parent, models.quantized(parent, tmp_path / "int8.tflite")


def test_what_does_not_help_is_left_out_with_a_note(nets, tmp_path):
    parent, model = nets
    destination = tmp_path / "refined.tflite"
    notes = _Useless().refine(parent, model, destination, models.examples(40))
    assert destination.read_bytes() == model.read_bytes()
    assert notes[0] == "Shifted a bias."
    assert notes[1].startswith("useless left out: KL ")
    assert notes[1].endswith(
        "on 20 calibration examples that it was not fitted to."
    )


def test_what_helps_is_kept(nets, tmp_path):
    parent, model = nets
    shifted = models.shifted(model, tmp_path / "shifted.tflite")
    destination = tmp_path / "refined.tflite"
    notes = bias_correction.BiasCorrection().refine(
        parent, shifted, destination, models.examples(40)
    )
    assert destination.read_bytes() != shifted.read_bytes()
    assert notes[1].startswith("bias_correction kept: KL ")


def test_too_little_data_is_one_clear_error(nets, tmp_path):
    with pytest.raises(errors.DataError, match="at least 8 samples"):
        _Useless().refine(*nets, tmp_path / "x", models.examples(3))


def test_the_file_must_keep_its_size():
    before = factories.model_facts(factories.tensor(0))
    after = dataclasses.replace(before, size_bytes=before.size_bytes + 1)
    technique = bias_correction.BiasCorrection()
    technique.verify(before, before)
    with pytest.raises(errors.VerificationError, match="keep the size"):
        technique.verify(before, after)
