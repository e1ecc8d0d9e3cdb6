# SPDX-License-Identifier: Apache-2.0
"""A gate's result as a table, Markdown, JUnit XML and GitHub annotations."""

from collections.abc import Iterator
from xml.etree import ElementTree

import tabulate

from tflite_opt.records import gate
from tflite_opt.report import facts_text

_HEADERS = ("model", "rule", "limit", "found", "verdict", "note")
_TAGS = {"fail": "failure", "inconclusive": "skipped"}
_LEVELS = {"fail": "error", "inconclusive": "warning"}


def table(result: gate.GateResult) -> str:
    """Returns a line for each rule, and the verdict."""
    rows = [_cells(rule) for rule in result.rules]
    text = tabulate.tabulate(rows, _HEADERS, disable_numparse=True)
    return f"{text}\n\n{summary(result)}"


def summary(result: gate.GateResult) -> str:
    """Returns one line with the verdict, how many rules, and the device."""
    counts = [
        f"{sum(rule.verdict == verdict for rule in result.rules)} {verdict}"
        for verdict in ("pass", "fail", "inconclusive")
    ]
    device = f"; {result.device}" if result.device else ""
    return f"Gate: {result.verdict} ({', '.join(counts)}){device}"


def markdown(result: gate.GateResult) -> str:
    """Returns the same for a pull request, failures first."""
    order = ("fail", "inconclusive", "pass")
    rules = sorted(result.rules, key=lambda rule: order.index(rule.verdict))
    rows = [[_escaped(cell) for cell in _cells(rule)] for rule in rules]
    text = tabulate.tabulate(
        rows, _HEADERS, tablefmt="github", disable_numparse=True
    )
    return f"### {_escaped(summary(result))}\n\n{text}\n"


def junit_xml(result: gate.GateResult) -> bytes:
    """Returns JUnit's XML: a test case for each rule.

    An inconclusive rule is a skipped test: JUnit has no third outcome.
    """
    verdicts = [rule.verdict for rule in result.rules]
    suite = ElementTree.Element(
        "testsuite",
        name="tflite_opt.gate",
        tests=str(len(verdicts)),
        failures=str(verdicts.count("fail")),
        skipped=str(verdicts.count("inconclusive")),
    )
    for rule in result.rules:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=facts_text.printable(rule.model),
            name=facts_text.printable(f"{rule.rule} {rule.limit}"),
        )
        if rule.verdict in _TAGS:
            ElementTree.SubElement(
                case, _TAGS[rule.verdict], message=_sentence(rule)
            )
    ElementTree.indent(suite)
    content: bytes = ElementTree.tostring(
        suite, encoding="utf-8", xml_declaration=True
    )
    return content + b"\n"


def annotations(result: gate.GateResult) -> Iterator[str]:
    """Yields GitHub's workflow commands for what did not pass.

    References:
        https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
    """
    for rule in result.rules:
        if rule.verdict in _LEVELS:
            title = facts_text.printable(f"{rule.model} {rule.rule}")
            yield (
                f"::{_LEVELS[rule.verdict]} title={_property(title)}::"
                f"{_message(_sentence(rule))}"
            )


def _cells(rule: gate.RuleResult) -> tuple[str, ...]:
    cells = (
        rule.model,
        rule.rule,
        rule.limit,
        rule.found,
        rule.verdict,
        rule.note,
    )
    return tuple(facts_text.printable(cell) for cell in cells)


def _sentence(rule: gate.RuleResult) -> str:
    text = f"{rule.found}, limit {rule.limit}"
    return facts_text.printable(f"{text}. {rule.note}".strip())


def _escaped(text: str) -> str:
    """Returns text that a Markdown table takes as it is."""
    for mark in "\\`*_|<>[]":
        text = text.replace(mark, f"\\{mark}")
    return text


def _message(text: str) -> str:
    # Line ends are escaped already.
    return text.replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
