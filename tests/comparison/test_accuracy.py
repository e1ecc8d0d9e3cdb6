# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests.comparison import evidence
from tflite_opt import intervals
from tflite_opt.comparison import accuracy
from tflite_opt.records import errors


@pytest.mark.parametrize(
    ("wrong", "limit", "verdict"),
    [
        (60, 0.02, "exceeded"),
        (60, 0.1, "within"),
        (60, 0.05, "not provable"),
    ],
)
def test_the_loss_is_paired_by_example(tmp_path, wrong, limit, verdict):
    baseline = evidence.evaluated(tmp_path, "a", wrong=10)
    candidate = evidence.evaluated(tmp_path, "b", wrong=wrong)
    found = accuracy.paired_drop(baseline, candidate, limit)
    assert found.value == pytest.approx(0.05)
    assert (found.only_baseline_correct, found.only_candidate_correct) == (
        50,
        0,
    )
    assert (found.low, found.high) == pytest.approx(
        intervals.paired_difference(50, 0, 1000)
    )
    assert found.verdict == verdict


def test_other_examples_are_refused(tmp_path):
    baseline = evidence.evaluated(tmp_path, "a", wrong=1)
    candidate = dataclasses.replace(baseline, data_fingerprint="g")
    with pytest.raises(errors.DataError, match="the same examples"):
        accuracy.paired_drop(baseline, candidate, 0.01)


def test_predictions_that_are_gone_or_changed_are_refused(tmp_path):
    baseline = evidence.evaluated(tmp_path, "a", wrong=1)
    candidate = evidence.evaluated(tmp_path, "b", wrong=1)
    candidate.predictions_path.write_bytes(b"other")
    with pytest.raises(errors.DataError, match="was changed since"):
        accuracy.paired_drop(baseline, candidate, 0.01)
    candidate.predictions_path.unlink()
    with pytest.raises(errors.DataError, match="which is not there"):
        accuracy.paired_drop(baseline, candidate, 0.01)
