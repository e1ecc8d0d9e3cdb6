# SPDX-License-Identifier: Apache-2.0
from xml.etree import ElementTree

from tflite_opt.records import gate
from tflite_opt.report import gate_text


def _rule(verdict, **fields):
    values = {
        "model": "int8",
        "rule": "latency_ms",
        "limit": "<= 1 ms",
        "found": "2 ms",
        "verdict": verdict,
    }
    return gate.RuleResult(**values | fields)


_RESULT = gate.GateResult(
    rules=(
        _rule("pass"),
        _rule("inconclusive", note="Raise --launches."),
        _rule("fail", model="a|b: c", found="+0.5%\n::error::<x>"),
    ),
    device="cpu",
)


def test_the_table_ends_with_the_verdict():
    lines = gate_text.table(_RESULT).splitlines()
    assert lines[-1] == "Gate: fail (1 pass, 1 fail, 1 inconclusive); cpu"
    assert lines[2].split() == ["int8", "latency_ms", "<=", "1", "ms"] + [
        "2",
        "ms",
        "pass",
    ]
    assert len(lines) == 2 + 3 + 2


def test_markdown_shows_failures_first_and_takes_text_as_it_is():
    lines = gate_text.markdown(_RESULT).splitlines()
    assert lines[0].startswith("### Gate: fail (1 pass")
    assert "a\\|b: c" in lines[4]
    assert "::error::\\<x\\>" in lines[4]
    assert "inconclusive" in lines[5]
    assert lines[6].split("|")[5].strip() == "pass"


def test_junit_has_a_case_for_each_rule():
    suite = ElementTree.fromstring(gate_text.junit_xml(_RESULT))
    assert suite.attrib == {
        "name": "tflite_opt.gate",
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    passed, skipped, failed = suite
    assert passed.attrib == {"classname": "int8", "name": "latency_ms <= 1 ms"}
    assert list(passed) == []
    assert skipped[0].tag == "skipped"
    assert skipped[0].attrib["message"] == (
        "2 ms, limit <= 1 ms. Raise --launches."
    )
    assert failed[0].tag == "failure"
    assert failed.attrib["classname"] == "a|b: c"


def test_annotations_cannot_be_forged_by_what_a_file_says():
    assert list(gate_text.annotations(_RESULT)) == [
        "::warning title=int8 latency_ms::2 ms, limit <= 1 ms. Raise "
        "--launches.",
        "::error title=a|b%3A c latency_ms::+0.5%25\\n::error::<x>, limit "
        "<= 1 ms.",
    ]
