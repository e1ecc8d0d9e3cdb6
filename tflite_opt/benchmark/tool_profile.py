# SPDX-License-Identifier: Apache-2.0
"""Reads the operator profiles that the tools print.

Columns differ between versions, so the header line decides: with or without
`[start]`, separated by tabs (TFLite), spaces (LiteRT) or commas (CSV mode).
Values are read from the right: XNNPACK's operator types contain spaces and,
unescaped, commas.

References:
    tensorflow/core/util/stats_calculator.cc,
    tflite/profiling/profile_summary_formatter.cc and
    litert/runtime/profiler_summarizer.cc
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from tflite_opt.records import errors, tool_output

_NUMBER = r"-?[\d.]+(?:e[-+]?\d+)?"
_VALUES = (
    rf"{_NUMBER}\s+(?P<avg>{_NUMBER})\s+(?P<percent>\S+)%\s+\S+%\s+"
    rf"(?P<memory>{_NUMBER})\s+(?P<times>\d+)\s+(?P<name>\S.*)$"
)
_ROW = re.compile(rf"^\s*(?P<type>\S.*?)\s+{_VALUES}")
_ROW_WITH_START = re.compile(rf"^\s*(?P<type>\S.*?)\s+{_NUMBER}\s+{_VALUES}")
_DELEGATE_ROW = re.compile(
    rf"^(?P<name>\S.*?)\s+(?P<times>\d+)\s+(?P<avg>{_NUMBER})\s+\d+\s+\d+\s+"
    r"\d+$"
)
# Inside or between rulers, which differ between versions.
_TITLES = {
    "Run Order",
    "Top by Computation Time",
    "Top by Memory Use",
    "Summary by node type",
    "Delegate Statistics",
}
_GRAPH = re.compile(
    r"^(?:Primary graph \(name: |Subgraph \(index: \d+, name: )(.*)\) profile:$"
)
_PHASES: dict[str, Literal["init", "run"]] = {
    "Profiling Info for Benchmark Initialization:": "init",
    "Operator-wise Profiling Info for Regular Benchmark Runs:": "run",
}
_DELEGATE_GRAPH = "delegate"
_CSV_VALUES = 8


def parse_csv(text: str) -> tuple[tool_output.OperationTime, ...]:
    """Reads a file that `--op_profiling_output_mode=csv` wrote.

    Raises:
        BenchmarkError: If it holds no profile.
    """
    found = parse_tables(text.splitlines())
    if not found:
        raise errors.BenchmarkError(
            f"The file must hold an operator profile. Received: {text[:80]!r}."
        )
    return found


def parse_tables(
    lines: Iterable[str],
) -> tuple[tool_output.OperationTime, ...]:
    """Returns the operators of all sections `Run Order`, in that order.

    Other sections repeat the same lines in other orders.

    Args:
        lines: Without the prefixes of a logger.
    """
    return tuple(_operations(lines))


def _operations(
    lines: Iterable[str],
) -> Iterator[tool_output.OperationTime]:
    phase: Literal["init", "run"] = "run"
    graph, title, header = "", "", ""
    for line in lines:
        text = line.strip()
        if text in _PHASES:
            phase, graph = _PHASES[text], ""
        elif text == "Delegate internal:":
            graph = _DELEGATE_GRAPH
        elif match := _GRAPH.match(text):
            graph = match[1]
        elif text.strip("= :") in _TITLES:
            title, header = text.strip("= :"), ""
        elif not text.strip("="):
            # An empty line ends a table; rulers frame its title.
            title = "" if header and not text else title
        elif not header:
            header = text
        elif title == "Run Order":
            yield _row(line, header, phase, graph)
        elif title == "Delegate Statistics":
            yield from _delegate_row(text, phase)


def _row(
    line: str, header: str, phase: Literal["init", "run"], graph: str
) -> tool_output.OperationTime:
    if header.startswith("node type,"):
        values = _csv_values(line, header)
    else:
        pattern = _ROW_WITH_START if "[start]" in header else _ROW
        match = pattern.match(line)
        values = match.groupdict() if match else None
    if values is None:
        raise errors.BenchmarkError(
            "A line of an operator profile must have the columns of its "
            f"header. Received: {line.strip()!r}."
        )
    return tool_output.OperationTime(
        phase=phase,
        graph=graph,
        node_type=values["type"],
        name=values["name"],
        avg_ms=float(values["avg"]),
        fraction=_fraction(values["percent"]),
        memory_bytes=round(float(values["memory"]) * 1e3),
        times_called=int(values["times"]),
    )


def _csv_values(line: str, header: str) -> dict[str, str] | None:
    has_start = ", start," in header
    fields = line.rsplit(", ", _CSV_VALUES if has_start else _CSV_VALUES - 1)
    names = ["type", *(["start"] if has_start else []), "first", "avg"]
    names += ["percent", "cumulative", "memory", "times", "name"]
    if len(fields) != len(names):
        return None
    values = dict(zip(names, fields, strict=True))
    values["percent"] = values["percent"].removesuffix("%")
    # The tool writes commas in names as tabs.
    values["name"] = values["name"].replace("\t", ",")
    return values


def _fraction(percent: str) -> float | None:
    # `-nan` where all lines together took no time.
    return None if "nan" in percent else float(percent) / 100


def _delegate_row(
    text: str, phase: Literal["init", "run"]
) -> Iterator[tool_output.OperationTime]:
    if match := _DELEGATE_ROW.match(text):
        yield tool_output.OperationTime(
            phase=phase,
            graph=_DELEGATE_GRAPH,
            node_type=match["name"].removeprefix("Delegate/"),
            name=match["name"],
            avg_ms=float(match["avg"]) / 1e3,
            fraction=None,
            memory_bytes=None,
            times_called=int(match["times"]),
        )
