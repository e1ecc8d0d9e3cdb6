# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests import factories
from tflite_opt.records import measurement
from tflite_opt.studies import peers

_INT8 = factories.tflite("int8")


class _Side:
    """Answers with given medians, one for each launch."""

    def __init__(self, *medians_ms):
        self._medians = iter(medians_ms)
        self.places = []

    def __call__(self, artifact, place):
        self.places.append(place.name)
        return next(self._medians)


def _sides(rounds, **others):
    same = {name: _Side(*[2.0] * rounds) for name in ("ours", "ours_again")}
    return same | {"loop": _Side(*[2.0] * rounds)} | others


def test_a_round_has_all_sides_and_the_noise_of_one():
    sides = _sides(3, tool=_Side(2.2, 2.0, 2.4), loop=_Side(1.9, 1.9, 2.0))
    values = peers.measure(_INT8, sides, rounds=3)
    assert values["ours_median_ms"] == 2.0
    assert values["tool_median_ms"] == 2.2
    assert values["loop_median_ms"] == 1.9
    assert values["loop_ratio"] == pytest.approx(0.95)
    assert values["tool_ratio"] == pytest.approx(1.1)
    assert values["tool_ratio_least"] == pytest.approx(1.0)
    assert values["tool_ratio_most"] == pytest.approx(1.2)
    assert values["noise_ratio"] == 1.0
    assert values["tool_step_fraction"] == pytest.approx(0.01 / 2.2)
    for name, side in sides.items():
        assert side.places == [f"{name}.{index}" for index in range(3)]


def test_the_page_names_missing_cells_and_what_is_not_told():
    values = peers.measure(_INT8, _sides(5, tool=_Side(*[2.0] * 5)), rounds=5)
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
        "| a | 2 | 2 | 1.000 (1.000-1.000) | 2 | 1.000 (1.000-1.000) | ±0.2% "
        "| 1.000 (1.000-1.000) |"
    )
    assert lines[3] == "| b | missing | | | | | | |"
    assert lines[-len(peers.DOES_NOT_TELL) :] == [
        f"- {item}" for item in peers.DOES_NOT_TELL
    ]
    few = dataclasses.replace(
        record,
        values={k: v for k, v in values.items() if "_ratio_" not in k},
    )
    assert (
        "| 1.000 | 2 | 1.000 | ±0.2% | 1.000 |"
        in list(peers.describe({"a": few}))[2]
    )
