# SPDX-License-Identifier: Apache-2.0
"""Runs the cells of a study that are missing and keeps each at once."""

import logging
import pathlib
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tflite_opt import child_process
from tflite_opt.benchmark import desktop
from tflite_opt.records import errors, files, measurement, run_directory

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
            device=device(),
            versions=run_directory.package_versions(),
            commit=commit(),
        ).save(path)
    return load(cells, folder)


def choose(
    cells: Mapping[str, Cell], names: Sequence[str] | None
) -> dict[str, Cell]:
    """Returns some of the cells, in their own order.

    Args:
        cells: All of them.
        names: Of those to return; None for all.

    Raises:
        InputError: If there is no such cell.
    """
    wanted = list(cells) if names is None else names
    unknown = [name for name in wanted if name not in cells]
    if unknown:
        raise errors.InputError(
            f"Unknown cell. Received: {', '.join(unknown)}. "
            f"Known: {', '.join(cells)}."
        )
    return {name: cell for name, cell in cells.items() if name in wanted}


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
    *,
    wide: bool = False,
    lines: Iterable[str] | None = None,
) -> str:
    """Writes the cells as Markdown and returns the text.

    Args:
        title: Of the page.
        found: The cells; None for a missing one.
        folder: Gets the page.
        command: That makes it.
        wide: Whether a cell is a line, for cells with the same figures; else
            each figure is.
        lines: What the study says itself, instead of such a table.
    """
    done = [record for record in found.values() if record]
    body = (_wide if wide else _long)(found) if lines is None else lines
    page = [f"# {title}", "", *body]
    if done:
        page += ["", f"{done[0].device}; {done[0].rounds} rounds."]
    page += ["", f"Made by `{command}`.", ""]
    text = "\n".join(page)
    files.write_text(folder / "README.md", text)
    return text


def run_command(command: Sequence[str]) -> str:
    """Runs a program of this project's and returns what it printed.

    Raises:
        InputError: What it said about bad input.
        RuntimeError: If it failed otherwise.
    """
    done = subprocess.run(
        command,
        env=child_process.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 2:
        last = done.stderr.strip().splitlines()[-1]
        raise errors.InputError(last.removeprefix("error: "))
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout


def _long(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    yield "| cell | figure | value |"
    yield "|---|---|---:|"
    for cell, record in found.items():
        if record is None:
            yield f"| {cell} | missing | |"
            continue
        for name, value in record.values.items():
            yield f"| {cell} | {name} | {value:.4g} |"


def _wide(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    names = next((list(r.values) for r in found.values() if r), [])
    yield f"| cell | {' | '.join(names)} |"
    yield f"|---|{'---:|' * len(names)}"
    for cell, record in found.items():
        values = (
            ["missing", *[""] * (len(names) - 1)]
            if record is None
            else [f"{record.values[name]:.4g}" for name in names]
        )
        yield f"| {cell} | {' | '.join(values)} |"


def device() -> str:
    """Returns the machine, as text."""
    found = desktop.describe_device()
    return f"{found.model}, {found.num_cpus} CPUs, {found.os}"


def commit() -> str:
    """Returns the commit of this code; "" outside a checkout."""
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=pathlib.Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()
