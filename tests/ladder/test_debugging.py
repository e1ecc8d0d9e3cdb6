# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests.post_training import models
from tflite_opt.ladder import debugging, diagnosis_text
from tflite_opt.records import errors


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("debugging")
    parent = models.separable(folder / "float.tflite")
    int8 = models.quantized(parent, folder / "int8.tflite")
    return parent, models.shifted(int8, folder / "shifted.tflite")


@pytest.fixture(scope="module")
def found(files):
    return debugging.diagnose(*files, models.examples(80))


def test_each_rung_is_made_on_top_of_those_before(found):
    names = [trial.name for trial in found.trials]
    assert names[:5] == [
        "int8",
        "bias_correction",
        "equalization",
        "dynamic_last_layer",
        "rounding",
    ]
    assert all(name.startswith("float_") for name in names[5:])
    assert not any(trial.reason for trial in found.trials)
    # The file was spoiled: plain int8 repairs it.
    first = found.trials[0].found
    assert first.divergence < 0.5 * found.given.divergence
    assert found.trials[-1].found.tensors[0].dtype == "float32"


def test_what_was_spoiled_is_found_with_what_helps(found):
    (dense,) = (
        x for x in found.given.tensors if x.operation == "FULLY_CONNECTED"
    )
    name, gain = found.best_for(dense)
    assert name == "int8"
    assert gain > 5


def test_what_only_float_helps_becomes_exact(found):
    source = found.given.tensors[0]
    trials = [
        debugging.Trial(
            name=name,
            found=dataclasses.replace(
                found.given,
                tensors=(dataclasses.replace(source, snr_db=snr_db),),
            ),
        )
        for name, snr_db in (("int8", source.snr_db), ("prefix", None))
    ]
    other = debugging.Diagnosis(given=found.given, trials=tuple(trials))
    assert other.best_for(source) == ("prefix", None)
    assert other.best_for(found.given.tensors[1]) is None


def test_the_text_begins_where_the_model_diverges(found):
    text = diagnosis_text.describe(found, worst=3, diverges_below_db=25)
    assert text.splitlines()[0].startswith("Outputs: KL ")
    assert (
        "The first below 25 dB is FULLY_CONNECTED_7 (FULLY_CONNECTED, "
        "operation 7) with " in text
    )
    assert "dB, by itself." in text
    assert "int8: +" in text
    assert "PAD_3" not in text
    everything = diagnosis_text.describe(found, worst=0, diverges_below_db=1)
    assert "No tensor is below 1 dB." in everything
    assert "PAD_3" in everything


def test_rungs_are_optional(files):
    found = debugging.diagnose(*files, models.examples(20), try_rungs=False)
    assert not found.trials
    text = diagnosis_text.describe(found, worst=0, diverges_below_db=20)
    assert "what helps" not in text


def test_a_rung_that_cannot_be_made_says_why(tmp_path):
    network = models.Network((8, 8, 3))
    network.depthwise()
    parent = network.save(tmp_path / "float.tflite")
    int8 = models.quantized(parent, tmp_path / "int8.tflite")
    found = debugging.diagnose(parent, int8, models.examples(20))
    (failed,) = (x for x in found.trials if x.found is None)
    assert failed.name == "dynamic_last_layer"
    text = diagnosis_text.describe(found, worst=0, diverges_below_db=20)
    assert "cannot be made: A dynamic last layer must be one of" in text


def test_a_quantized_parent_is_refused_with_its_tensors(files):
    _, int8 = files
    with pytest.raises(errors.ModelError, match="quantized tensors, such as"):
        debugging.diagnose(int8, int8, models.examples(20))


def test_what_one_constant_spoils_is_repaired_by_operations_in_float(tmp_path):
    parent = models.normalized(tmp_path / "float.tflite")
    int8 = models.quantized(parent, tmp_path / "int8.tflite")
    found = debugging.diagnose(parent, int8, models.examples(80))
    trials = {trial.name: trial.found for trial in found.trials}
    best_in_int8 = min(trials[name].divergence for name in list(trials)[:5])
    # The multiplication alone: its weights are six numbers.
    assert list(trials)[5] == "float_operations_1"
    assert trials["float_operations_1"].divergence < 0.1 * best_in_int8


def test_too_few_samples_are_refused(files):
    with pytest.raises(errors.DataError, match=r"Received: 7\."):
        debugging.diagnose(*files, models.examples(7))
