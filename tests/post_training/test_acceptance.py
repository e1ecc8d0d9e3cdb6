# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.post_training import models
from tflite_opt.post_training import acceptance, divergence, reconstruction
from tflite_opt.records import errors


def test_every_second_example_judges():
    fitting, held_out = acceptance.split({"x": np.arange(10)})
    assert fitting["x"].tolist() == [0, 2, 4, 6, 8]
    assert held_out["x"].tolist() == [1, 3, 5, 7, 9]


def test_no_more_are_fitted_to_than_help():
    fitting, held_out = acceptance.split({"x": np.arange(1000)})
    assert (len(fitting["x"]), len(held_out["x"])) == (100, 500)


@pytest.mark.parametrize("examples", [{}, {"x": np.arange(7)}])
def test_too_few_examples_are_one_clear_error(examples):
    with pytest.raises(errors.DataError, match=r"8 samples.*--num_calibration"):
        acceptance.split(examples)


def test_a_worse_file_is_no_better(float_net, int8_net, tmp_path):
    worse = models.shifted(int8_net, tmp_path / "worse.tflite")
    held_out = models.examples(40, seed=5)
    judgement = acceptance.judge(float_net, int8_net, worse, held_out)
    assert not judgement.is_better
    assert judgement.after.divergence > 2 * judgement.before.divergence
    assert judgement.num_examples == 40
    back = acceptance.judge(float_net, worse, int8_net, held_out)
    assert back.is_better
    assert (back.lost, back.gained) == (judgement.gained, judgement.lost)


def test_the_same_file_is_no_better(float_net, int8_net):
    judgement = acceptance.judge(
        float_net, int8_net, int8_net, models.examples(10)
    )
    assert not judgement.is_better
    assert (judgement.lost, judgement.gained) == (0, 0)


def test_the_divergence_is_that_of_the_logits(float_net, int8_net, tmp_path):
    # The same network without its softmax gives the logits.
    logits = models.separable(tmp_path / "logits.tflite", logits=True)
    quantized = models.quantized(logits, tmp_path / "q.tflite")
    inputs = models.examples(20)
    found = acceptance.judge(float_net, int8_net, int8_net, inputs).before
    assert found.agreement is not None
    assert found.divergence > 0
    other = acceptance.judge(logits, quantized, quantized, inputs).before
    # It does not know that these are logits.
    assert other.agreement is None
    assert 0 < other.divergence < 1


def test_a_correction_is_seen(float_net, int8_net, tmp_path):
    shifted = models.shifted(int8_net, tmp_path / "shifted.tflite")
    path = tmp_path / "corrected.tflite"
    fitting = models.examples(60)
    reconstruction.reconstruct(float_net, shifted, path, fitting)
    held_out = models.examples(60, seed=7)
    judgement = acceptance.judge(float_net, shifted, path, held_out)
    assert judgement.is_better
    assert judgement.after.divergence < 0.1 * judgement.before.divergence


def _judgement(before, after, lost, gained):
    return acceptance.Judgement(
        before=divergence.Distance(divergence=before, agreement=0.9),
        after=divergence.Distance(divergence=after, agreement=0.9),
        lost=lost,
        gained=gained,
        num_examples=100,
    )


@pytest.mark.parametrize(
    ("judgement", "is_better"),
    [
        (_judgement(0.02, 0.01, 0, 0), True),
        (_judgement(0.02, 0.01, 2, 0), True),
        (_judgement(0.02, 0.01, 5, 0), False),
        (_judgement(0.02, 0.01, 12, 4), False),
        (_judgement(0.01, 0.02, 0, 9), False),
    ],
    ids=["closer", "chance", "lost", "mostly lost", "further"],
)
def test_agreement_must_not_fall_by_more_than_chance(judgement, is_better):
    assert judgement.is_better is is_better


def test_says_what_was_measured():
    text = _judgement(0.02, 0.01, 0, 0).describe("rounding")
    assert text == (
        "rounding kept: KL 2.00e-02 and agreement 90.0% without it, "
        "KL 1.00e-02 and agreement 90.0% with it, on 100 calibration examples "
        "that it was not fitted to."
    )
    assert "rounding left out: KL 1" in (
        _judgement(0.01, 0.02, 0, 0).describe("rounding")
    )
