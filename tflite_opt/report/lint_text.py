# SPDX-License-Identifier: Apache-2.0
"""The text of the linter's findings."""

import textwrap
from collections.abc import Sequence

from tflite_opt.records import finding

_WIDTH = 80


def describe(name: str, findings: Sequence[finding.Finding]) -> str:
    """Returns one paragraph for each finding of a file.

    Args:
        name: What to call the file, mostly its path.
        findings: Warnings first.
    """
    if not findings:
        return f"{name}: nothing found"
    return "\n".join([name, *(_paragraph(item) for item in findings)])


def _paragraph(item: finding.Finding) -> str:
    places = f" ({', '.join(item.operators)})" if item.operators else ""
    body = textwrap.fill(
        f"{item.reason} {item.remedy}".strip(),
        _WIDTH,
        initial_indent="      ",
        subsequent_indent="      ",
    )
    return f"  {item.severity} {item.rule}: {item.message}{places}\n{body}"
