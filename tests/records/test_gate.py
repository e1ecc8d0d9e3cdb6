# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.records import gate


def result(*verdicts):
    return gate.GateResult(
        rules=tuple(
            gate.RuleResult(
                model="int8",
                rule=f"rule_{index}",
                limit="<= 1",
                found="2",
                verdict=verdict,
                note="Why.",
            )
            for index, verdict in enumerate(verdicts)
        ),
        device="cpu",
    )


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
    assert result(*verdicts).verdict == expected


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_what_is_open_can_be_settled(verdict):
    found = result("pass", "inconclusive").settled(verdict)
    assert found.verdict == verdict
    assert found.rules[0].note == "Why."
    assert found.rules[1].note == f"Inconclusive, taken for {verdict}. Why."


def test_it_comes_back_from_json(tmp_path):
    found = result("fail", "pass")
    found.save(tmp_path / "gate.json")
    assert gate.GateResult.load(tmp_path / "gate.json") == found
