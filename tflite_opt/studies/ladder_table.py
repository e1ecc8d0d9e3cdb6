# SPDX-License-Identifier: Apache-2.0
"""The tables of the study of the ladder."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence

from tflite_opt.records import measurement

# In the names of cells with mixed precisions.
FRONT = "front"


def describe(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    """Yields a table of rungs, then one of mixed precisions."""
    yield (
        "Loss in points of the test accuracy against float32, mean over seeds."
    )
    yield ""
    yield (
        "| network | seeds | rung | loss | 95 % of seed 0 | same as original "
        "| KL | bytes | s | taken |"
    )
    yield f"|---|---:|---|{'---:|' * 7}"
    for case, records in _by_case(found).items():
        yield from _rows(case, records)
    yield ""
    yield (
        "| network, seed | bytes | int4 | float prefix | KL | same as original "
        "| loss | ms | optimal |"
    )
    yield f"|---|{'---:|' * 8}"
    for cell, record in found.items():
        if f".{FRONT}." in cell:
            yield from _points(cell.replace(f".{FRONT}.", ", "), record)


def _by_case(
    found: Mapping[str, measurement.Measurement | None],
) -> dict[str, list[measurement.Measurement | None]]:
    """Returns the cells of ladders, by network."""
    cases: dict[str, list[measurement.Measurement | None]] = {}
    for cell, record in found.items():
        if f".{FRONT}." not in cell:
            cases.setdefault(cell.rpartition(".")[0], []).append(record)
    return cases


def _rows(
    case: str, records: Sequence[measurement.Measurement | None]
) -> Iterator[str]:
    done = [record.values for record in records if record]
    if not done:
        yield f"| {case} | missing |{' |' * 8}"
        return
    names = [
        key.removesuffix(".bytes")
        for values in done
        for key in values
        if key.endswith(".bytes")
    ]
    for name in dict.fromkeys(names):
        label = name.removeprefix("rung.")
        first = done[0]
        interval = (
            f"{first[f'{name}.low_points']:+.2f} to "
            f"{first[f'{name}.high_points']:+.2f}"
            if f"{name}.low_points" in first
            else ""
        )
        taken = [x[f"{name}.taken"] for x in done if f"{name}.taken" in x]
        yield " | ".join(
            [
                f"| {case}",
                f"{len(done)} of {len(records)}",
                label,
                _mean(done, f"{name}.loss_points", "+.2f"),
                interval,
                _mean(done, f"{name}.agreement", ".2%"),
                _mean(done, f"{name}.divergence", ".1e"),
                _mean(done, f"{name}.bytes", ",.0f"),
                _mean(done, f"{name}.seconds", ".1f"),
                f"{sum(x > 0 for x in taken)} of {len(taken)} |"
                if taken
                else " |",
            ]
        )


def _mean(done: Sequence[Mapping[str, float]], figure: str, form: str) -> str:
    values = [x[figure] for x in done if figure in x]
    return format(statistics.fmean(values), form) if values else ""


def _points(
    label: str, record: measurement.Measurement | None
) -> Iterator[str]:
    if record is None:
        yield f"| {label} | missing |{' |' * 7}"
        return
    values = record.values
    for number in range(len(values)):
        name = f"point.{number}"
        if f"{name}.bytes" not in values:
            return
        yield " | ".join(
            [
                f"| {label}",
                f"{values[f'{name}.bytes']:,.0f}",
                f"{values[f'{name}.int4']:.0f}",
                f"{values[f'{name}.prefix']:.0f}",
                f"{values[f'{name}.divergence']:.1e}",
                f"{values.get(f'{name}.agreement', math.nan):.2%}",
                f"{values.get(f'{name}.loss_points', math.nan):+.2f}",
                f"{values.get(f'{name}.ms', math.nan):.3f}",
                f"{'yes' if values[f'{name}.is_optimal'] else 'no'} |",
            ]
        )
