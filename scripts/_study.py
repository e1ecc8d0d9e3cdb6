# SPDX-License-Identifier: Apache-2.0
"""How every measuring program ends: missing cells, the table, the exit code."""

import pathlib
from collections.abc import Callable, Iterable, Mapping

from tflite_opt.records import measurement
from tflite_opt.studies import study

from . import _cli


def measure(
    name: str,
    cells: Mapping[str, study.Cell],
    chosen: Mapping[str, study.Cell],
    folder: pathlib.Path,
    *,
    title: str,
    flags: str = "",
    describe: Callable[
        [Mapping[str, measurement.Measurement | None]], Iterable[str]
    ],
    rounds: int = 1,
    redo: bool,
) -> int:
    """Measures what is missing, writes the table and prints it.

    Args:
        name: Of the program, behind `measure_`.
        cells: All of them.
        chosen: Those to measure now.
        folder: Records and the table go here.
        title: Of the table.
        flags: What the command in the table needs.
        describe: Yields the table's lines.
        rounds: How often each is measured, in turns.
        redo: Whether finished cells are measured again.

    Returns:
        The exit code: 0 when all cells are there, 1 when one is missing.
    """
    study.run(name, chosen, folder, rounds=rounds, redo=redo)
    found = study.load(cells, folder)
    command = " ".join(["python -m", f"scripts.measure_{name}", flags]).strip()
    text = study.write_table(
        title, found, folder, command, lines=describe(found)
    )
    records = [record.to_json() for record in found.values() if record]
    _cli.emit(records, text)
    return 0 if len(records) == len(cells) else 1
