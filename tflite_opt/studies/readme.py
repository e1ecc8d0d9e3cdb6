# SPDX-License-Identifier: Apache-2.0
"""The parts of the README that are made from committed records.

Each stands between `<!-- made from FOLDER/NAME -->` and `<!-- end -->`.
"""

import pathlib
import re
import textwrap

import tabulate

from tflite_opt.records import errors, report, transcript
from tflite_opt.report import evaluation_text

_PART = re.compile(r"(<!-- made from (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_WIDTH = 76


def fill(text: str, measurements: pathlib.Path) -> str:
    """Returns the README with each part made again.

    Args:
        text: The README.
        measurements: The folder of the records.

    Raises:
        InputError: If there is no such record.
    """

    def made(found: "re.Match[str]") -> str:
        folder, _, name = found[2].partition("/")
        path = measurements / folder / f"{name}.json"
        if not path.is_file():
            raise errors.InputError(
                f"A part of the README must have its record. Received: {path}."
            )
        if folder == "needs":
            body = _transcript(transcript.Transcript.load(path))
        else:
            body = _table(report.Report.load(path))
        return f"{found[1]}\n{body}\n\n{found[3]}"

    return _PART.sub(made, text)


def _table(content: report.Report) -> str:
    headers = (
        "variant",
        "bytes",
        "x smaller",
        "top-1 (95 % CI)",
        "loss vs float32",
        "verdict",
        "ms",
        "x faster",
        "partitions",
    )
    rows = [
        (
            f"**{row.name}**" if row.is_recommended else row.name,
            f"{row.size_bytes:,}",
            f"{row.times_smaller:.2f}",
            evaluation_text.metric(row.metric),
            evaluation_text.loss(row.drop),
            row.drop.verdict if row.drop else "-",
            f"{row.median_ms:.4g}",
            f"{row.times_faster:.2f}",
            row.partitions,
        )
        for row in content.rows
    ]
    return tabulate.tabulate(
        rows, headers, tablefmt="github", disable_numparse=True
    )


def _transcript(content: transcript.Transcript) -> str:
    lines = ["```console"]
    for command in content.commands:
        lines.append(f"$ {wrapped(command.text)}")
        lines += command.stdout.rstrip().splitlines()
    return "\n".join([*lines, "```"])


def wrapped(command: str) -> str:
    """Returns a command on lines that are not too long for a page."""
    lines = textwrap.wrap(
        command, _WIDTH, break_long_words=False, break_on_hyphens=False
    )
    return " \\\n    ".join(lines)
