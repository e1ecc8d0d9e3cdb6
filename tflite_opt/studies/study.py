# SPDX-License-Identifier: Apache-2.0
"""Runs the cells of a study that are missing and keeps each at once."""

import logging
import pathlib
import subprocess
from collections.abc import Callable, Mapping

from tflite_opt.benchmark import desktop
from tflite_opt.records import files, measurement, run_directory

_LOG = logging.getLogger(__name__)

Cell = Callable[[], dict[str, float]]


def run(
    name: str,
    cells: Mapping[str, Cell],
    folder: pathlib.Path,
    *,
    rounds: int,
    redo: bool,
) -> dict[str, measurement.Measurement | None]:
    """Runs missing cells; a cell that is interrupted stays missing.

    Args:
        name: Of the study.
        cells: By name, what measures it.
        folder: Holds one JSON record for each finished cell.
        rounds: Written into the records.
        redo: Whether finished cells are measured again.

    Returns:
        All cells in order; None for one that is still missing.
    """
    for cell, measure in cells.items():
        path = folder / f"{cell}.json"
        if path.exists() and not redo:
            _LOG.info("%s: kept from %s", cell, path)
            continue
        _LOG.info("%s: measuring", cell)
        measurement.Measurement(
            study=name,
            cell=cell,
            values=measure(),
            rounds=rounds,
            device=_device(),
            versions=run_directory.package_versions(),
            commit=_commit(),
        ).save(path)
    return load(cells, folder)


def load(
    cells: Mapping[str, Cell], folder: pathlib.Path
) -> dict[str, measurement.Measurement | None]:
    """Returns the finished cells; None for a missing one."""
    found: dict[str, measurement.Measurement | None] = {}
    for cell in cells:
        path = folder / f"{cell}.json"
        found[cell] = (
            measurement.Measurement.load(path) if path.exists() else None
        )
    return found


def write_table(
    title: str,
    found: Mapping[str, measurement.Measurement | None],
    folder: pathlib.Path,
    command: str,
) -> str:
    """Writes the cells as Markdown and returns the text."""
    lines = [f"# {title}", "", "| cell | figure | value |", "|---|---|---:|"]
    for cell, record in found.items():
        if record is None:
            lines.append(f"| {cell} | missing | |")
            continue
        lines += [
            f"| {cell} | {name} | {value:.4g} |"
            for name, value in record.values.items()
        ]
    done = [record for record in found.values() if record]
    if done:
        lines += ["", f"{done[0].device}; {done[0].rounds} rounds."]
    lines += ["", f"Made by `{command}`.", ""]
    text = "\n".join(lines)
    files.write_text(folder / "README.md", text)
    return text


def _device() -> str:
    device = desktop.describe_device()
    return f"{device.model}, {device.num_cpus} CPUs, {device.os}"


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=pathlib.Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()
