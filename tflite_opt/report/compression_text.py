# SPDX-License-Identifier: Apache-2.0
"""The text about techniques that train, and what is left of their work."""

from collections.abc import Iterator, Sequence

import tabulate

from tflite_opt.records import compression, report

_HEADERS = (
    "variant",
    "step",
    "weights",
    "trained",
    "zeros in Keras",
    "zeros in the file",
    "bytes if sparse-encoded",
    "values per channel in the file",
    "file agrees with Keras",
)


def markdown(rows: Sequence[report.Row]) -> list[str]:
    """Returns a line for each step of each variant, then the notes."""
    notes = [
        f"- {row.name}, {step.technique['technique']}: {note}"
        for row in rows
        for step in row.steps
        for note in step.notes
    ]
    return [table(rows, "github"), *([""] if notes else []), *notes]


def table(rows: Sequence[report.Row], format: str = "simple") -> str:
    """Returns a line for each step of each variant.

    Args:
        rows: Of the report; those without a step have no line.
        format: A `tabulate` format, e.g. `simple` or `github`.
    """
    return tabulate.tabulate(
        [cells for row in rows for cells in _lines(row)],
        headers=_HEADERS,
        tablefmt=format,
        disable_numparse=True,
    )


def zero_fraction(
    kept: Sequence[compression.KeptPromise],
) -> float | None:
    """Returns the fraction of zeros in all weights that were promised zeros.

    Returns:
        None if none was.
    """
    pruned = [x for x in kept if x.promise.min_zero_fraction is not None]
    if not pruned:
        return None
    zeros = sum(x.zero_fraction * x.num_elements for x in pruned)
    return zeros / sum(x.num_elements for x in pruned)


def _lines(row: report.Row) -> Iterator[tuple[str, ...]]:
    start = 0
    for step in row.steps:
        # A later step may have renamed the layers, not their order.
        end = start + len(step.promises)
        own, in_keras = row.kept[start:end], step.kept[start:end]
        start = end
        values = [
            x.channel_unique_values
            for x in own
            if x.promise.max_unique_values is not None
        ]
        yield (
            row.name,
            str(step.technique["technique"]),
            str(len(step.promises)),
            _trained(step),
            _percent(zero_fraction(in_keras)),
            _percent(zero_fraction(own)),
            _bytes(row.sparse_encoded_bytes),
            f"at most {max(values)}" if values else "-",
            _percent(row.keras_agreement),
        )


def _trained(step: compression.CompressionStep) -> str:
    if not step.histories:
        return "-"
    epochs = sum(history.epochs for history in step.histories)
    last = step.histories[-1]
    seconds = sum(history.seconds for history in step.histories)
    text = f"{epochs} epochs, {seconds:.0f} s"
    if step.energy_kwh is not None:
        text += f", {step.energy_kwh:.3g} kWh by codecarbon"
    if last.validation_accuracy:
        best = last.validation_accuracy[last.kept_epoch - 1]
        text += f", validation {best:.2%}"
    return text


def _bytes(value: int | None) -> str:
    return "-" if value is None else f"about {value:,}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
