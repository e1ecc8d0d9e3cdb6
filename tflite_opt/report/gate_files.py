# SPDX-License-Identifier: Apache-2.0
"""Hands a gate's result to CI systems."""

import pathlib
from collections.abc import Iterator, Mapping

from tflite_opt.records import files, gate
from tflite_opt.report import gate_text


def write(
    result: gate.GateResult,
    *,
    junit_xml: str | None,
    markdown: str | None,
    environment: Mapping[str, str],
) -> Iterator[str]:
    """Writes what is asked for, and what GitHub's environment asks for.

    Args:
        result: The result.
        junit_xml: Path of the XML; None for none.
        markdown: Path of the Markdown; None for none.
        environment: Its GITHUB_STEP_SUMMARY is appended to.

    Yields:
        Annotations for stderr, if GITHUB_ACTIONS is set.
    """
    text = gate_text.markdown(result)
    if junit_xml:
        files.write_bytes(pathlib.Path(junit_xml), gate_text.junit_xml(result))
    if markdown:
        files.write_text(pathlib.Path(markdown), text)
    summary = environment.get("GITHUB_STEP_SUMMARY")
    if summary:
        # Other steps of the job write there, too.
        with pathlib.Path(summary).open("a", encoding="utf-8") as file:
            file.write(text)
    if environment.get("GITHUB_ACTIONS"):
        yield from gate_text.annotations(result)
