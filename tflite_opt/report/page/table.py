# SPDX-License-Identifier: Apache-2.0
"""The table of all variants, with what to sort its cells by."""

import dataclasses
from collections.abc import Sequence

from tflite_opt.records import report
from tflite_opt.report import evaluation_text, row_text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell.

    Attributes:
        text: What it shows.
        key: What it is sorted by; a missing number comes last.
        is_prose: Whether it is a sentence, to be wrapped.
    """

    text: str
    key: float | str | None
    is_prose: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        headers: Of the columns after the first, the variant.
        rows: The report's, with their cells.
    """

    headers: tuple[str, ...]
    rows: list[tuple[report.Row, list[Cell]]]


def table(content: report.Report) -> Table:
    """Returns the table; what no variant has is left out."""
    columns = [
        (header, [cells[index] for cells in map(_cells, content.rows)])
        for index, header in enumerate(_headers(content))
    ]
    kept = [
        (header, cells)
        for header, cells in columns
        if any(cell.key not in (None, "") for cell in cells)
    ]
    return Table(
        headers=tuple(header for header, _ in kept),
        rows=[
            (row, [cells[index] for _, cells in kept])
            for index, row in enumerate(content.rows)
        ],
    )


def _headers(content: report.Report) -> Sequence[str]:
    return (
        "bytes",
        "x smaller",
        "gzip bytes",
        evaluation_text.header(content.metric, content.is_labelled),
        "loss vs float32",
        "verdict",
        "latency ms (95 % CI)",
        "x faster",
        "peak MB",
        "partitions",
        "warnings",
    )


def _cells(row: report.Row) -> list[Cell]:
    drop, peak = row.drop, row.peak_memory_bytes
    found = [x.message for x in row.findings if x.severity == "warning"]
    warnings = "; ".join([*row.warnings, *found])
    return [
        Cell(text=f"{row.size_bytes:,}", key=row.size_bytes),
        Cell(text=f"{row.times_smaller:.2f}", key=row.times_smaller),
        Cell(text=f"{row.gzip_bytes:,}", key=row.gzip_bytes),
        Cell(
            text=_lines(evaluation_text.metric(row.metric)),
            key=row.metric.value if row.metric else None,
        ),
        Cell(
            text=_lines(evaluation_text.loss(drop)),
            key=drop.value if drop else None,
        ),
        Cell(
            text=_lines(evaluation_text.verdict(drop)),
            key=drop.verdict if drop else None,
        ),
        Cell(text=_lines(row_text.latency(row)), key=row.median_ms),
        Cell(
            text="-" if row.times_faster is None else f"{row.times_faster:.2f}",
            key=row.times_faster,
        ),
        Cell(text=row_text.number(peak / 1e6 if peak else None), key=peak),
        Cell(
            text="-" if row.partitions is None else str(row.partitions),
            key=row.partitions,
        ),
        Cell(text=warnings, key=warnings, is_prose=True),
    ]


def _lines(text: str) -> str:
    """Returns a value and its interval or reason on lines of their own."""
    return text.replace(" (", "\n(").replace(" with ", "\nwith ")
