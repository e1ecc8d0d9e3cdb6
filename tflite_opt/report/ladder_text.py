# SPDX-License-Identifier: Apache-2.0
"""The log of an automatic recipe as a table."""

from collections.abc import Sequence

import tabulate

from tflite_opt.records import ladder, run_directory
from tflite_opt.report import build, evaluation_text


def logs(run: run_directory.RunDirectory, names: Sequence[str]) -> list[str]:
    """Returns the logs of a run's automatic recipes."""
    places = build.RunRecords(run)
    return [
        describe(ladder.Ladder.load(places.ladder(name), run.root))
        for name in names
    ]


def describe(found: ladder.Ladder) -> str:
    """Returns a line for each rung, and why the ladder ended."""
    return "\n".join([title(found), table(found), found.reason])


def title(found: ladder.Ladder) -> str:
    """Returns what was tried, and when it was to end."""
    return f"{found.name}, for {found.target}:"


def table(found: ladder.Ladder, format: str = "simple") -> str:
    """Returns a line for each rung.

    Args:
        found: The ladder.
        format: A `tabulate` format, e.g. `simple` or `github`.
    """
    headers = (
        "rung",
        "",
        "s",
        "loss vs float32 (95 % CI)",
        "same as original",
        "held-out KL",
        "SNR dB",
        "bytes",
        "ms",
        "target",
    )
    return tabulate.tabulate(
        [_cells(rung) for rung in found.rungs],
        headers,
        tablefmt=format,
        disable_numparse=True,
    )


def markdown(found: Sequence[ladder.Ladder]) -> list[str]:
    """Returns the part of a report about a run's automatic recipes."""
    if not found:
        return []
    lines = ["## Automatic recipes", ""]
    for one in found:
        lines += [title(one), "", table(one, "github"), "", one.reason, ""]
    return lines


def _cells(rung: ladder.Rung) -> tuple[str, ...]:
    return (
        rung.name,
        rung.outcome,
        f"{rung.seconds:.1f}",
        evaluation_text.loss(rung.drop),
        evaluation_text.same(rung.validation_agreement),
        "-" if rung.divergence is None else f"{rung.divergence:.1e}",
        "-" if rung.snr_db is None else f"{rung.snr_db:.1f}",
        f"{rung.artifact.size_bytes:,}" if rung.artifact else "-",
        "-" if rung.median_ms is None else f"{rung.median_ms:.3f}",
        rung.verdict or rung.reason,
    )
