# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests import factories
from tflite_opt.records import benchmark, errors, measurement
from tflite_opt.studies import peers

_INT8 = factories.tflite("int8")


class _Runner:
    """Answers with given medians, one for each launch."""

    def __init__(self, medians_ms):
        self.identity = "fake"
        self._medians = iter(medians_ms)
        self.places = []

    def run(self, artifacts, options, directory):
        self.places.append(directory.name)
        median = next(self._medians)
        (artifact,) = artifacts
        if median is None:
            return [
                benchmark.BenchmarkFailure(artifact=artifact, message="broken")
            ]
        return [factories.result(artifact, median)]


def test_a_round_has_both_sides_and_the_noise_of_one():
    ours, tool = _Runner([2.0] * 6), _Runner([2.2, 2.0, 2.4])
    values = peers.measure(_INT8, ours, tool, rounds=3)
    assert values["ours_median_ms"] == 2.0
    assert values["tool_median_ms"] == 2.2
    assert values["tool_ratio"] == pytest.approx(1.1)
    assert values["tool_ratio_least"] == pytest.approx(1.0)
    assert values["tool_ratio_most"] == pytest.approx(1.2)
    assert values["noise_ratio"] == 1.0
    assert values["tool_step_fraction"] == pytest.approx(0.01 / 2.2)
    assert len(set(ours.places)) == 6
    assert tool.places == ["tool.0", "tool.1", "tool.2"]


def test_a_side_that_fails_is_an_error():
    with pytest.raises(errors.BenchmarkError, match="broken"):
        peers.measure(_INT8, _Runner([2.0] * 2), _Runner([None]), rounds=1)


def test_the_page_names_missing_cells_and_what_is_not_told():
    values = peers.measure(
        _INT8, _Runner([2.0] * 10), _Runner([2.0] * 5), rounds=5
    )
    record = measurement.Measurement(
        study="peers",
        cell="a",
        values=values,
        rounds=5,
        device="cpu",
        versions={},
        commit="",
    )
    lines = list(peers.describe({"a": record, "b": None}))
    assert lines[2] == (
        "| a | 2 | 2 | 1.000 (1.000-1.000) | 1.000 (1.000-1.000) | ±0.2% |"
    )
    assert lines[3] == "| b | missing | | | | |"
    assert lines[-len(peers.DOES_NOT_TELL) :] == [
        f"- {item}" for item in peers.DOES_NOT_TELL
    ]
    few = dataclasses.replace(
        record,
        values={k: v for k, v in values.items() if "_ratio_" not in k},
    )
    assert "| 1.000 | 1.000 |" in list(peers.describe({"a": few}))[2]
