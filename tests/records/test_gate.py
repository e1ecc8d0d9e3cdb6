# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tflite_opt.records import gate


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((), "pass"),
        (("pass", "pass"), "pass"),
        (("pass", "inconclusive"), "inconclusive"),
        (("fail", "inconclusive", "pass"), "fail"),
    ],
)
def test_the_worst_rule_decides(verdicts, expected):
    assert factories.gate_result(*verdicts).verdict == expected


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_what_is_open_can_be_settled(verdict):
    found = factories.gate_result("pass", "inconclusive").settled(verdict)
    assert found.verdict == verdict
    assert found.rules[0].note == "Why."
    assert found.rules[1].note == f"Inconclusive, taken for {verdict}. Why."


def test_it_comes_back_from_json(tmp_path):
    found = factories.gate_result("fail", "pass")
    found.save(tmp_path / "gate.json")
    assert gate.GateResult.load(tmp_path / "gate.json") == found
