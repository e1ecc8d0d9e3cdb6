# SPDX-License-Identifier: Apache-2.0
"""The table of several `.tflite` files side by side."""

import dataclasses
from collections.abc import Callable, Sequence

import tabulate

from tflite_opt.records import delegation, facts, weight_values
from tflite_opt.report import facts_text

_Number = int | float | None


@dataclasses.dataclass(frozen=True)
class _Row:
    """One line; fractions are shown as percentages."""

    label: str
    values: Sequence[_Number]
    is_fraction: bool = False


def compare(names: Sequence[str], found: Sequence[facts.ModelFacts]) -> str:
    """Returns one column for each file; of two, how they differ, too.

    Args:
        names: What to call the files.
        found: Their facts.
    """
    headers = ["", *map(facts_text.printable, names)]
    if len(found) == 2:
        headers += ["difference", "ratio"]
    cells = [_cells(row) for row in _rows(found) if any(_is_there(row))]
    runtimes = [model.min_runtime_version or "not stated" for model in found]
    cells.append(["min runtime", *map(facts_text.printable, runtimes)])
    return tabulate.tabulate(
        [row + [""] * (len(headers) - len(row)) for row in cells],
        headers,
        disable_numparse=True,
        colalign=("left", *("right",) * (len(headers) - 1)),
    )


def _is_there(row: _Row) -> list[bool]:
    return [value is not None for value in row.values]


def _rows(found: Sequence[facts.ModelFacts]) -> list[_Row]:
    def each(
        label: str,
        get: Callable[[facts.ModelFacts], _Number],
        is_fraction: bool = False,
    ) -> _Row:
        return _Row(label, [get(model) for model in found], is_fraction)

    return [
        each("size, bytes", lambda m: m.size_bytes),
        each("after gzip", lambda m: m.gzip_bytes),
        each("sparse-encoded, about", lambda m: m.sparse_encoded_bytes),
        *_by_key("bytes: ", [m.bytes_by_role for m in found]),
        *_by_key("constants: ", [m.bytes_by_dtype for m in found]),
        each("parameters", lambda m: m.parameters),
        each("quantized weights", lambda m: m.quantized_weight_fraction, True),
        each("zero weights", lambda m: m.zero_weight_fraction, True),
        each("unique values, at most", _most_unique_values),
        each("MACs", lambda m: m.macs),
        each("tensor memory, builtin", lambda m: _memory(m, "builtin_memory")),
        each("tensor memory, XNNPACK", lambda m: _memory(m, "delegate_memory")),
        each("partitions", _partitions),
        each("left out", _left_out),
        each("operations", lambda m: len(m.operators)),
        *_by_key("", [m.operator_counts for m in found]),
    ]


def _by_key(prefix: str, found: Sequence[dict[str, int]]) -> list[_Row]:
    keys = dict.fromkeys(key for counts in found for key in counts)
    return [
        _Row(
            prefix + facts_text.printable(key),
            [counts.get(key, 0) for counts in found],
        )
        for key in keys
    ]


def _most_unique_values(model: facts.ModelFacts) -> int | None:
    values: list[weight_values.WeightValues] = [
        tensor.values for tensor in model.weights if tensor.values is not None
    ]
    return max((found.unique_values for found in values), default=None)


def _memory(model: facts.ModelFacts, field: str) -> int | None:
    if model.delegation is None:
        return None
    found: delegation.TensorMemory | None = getattr(model.delegation, field)
    return None if found is None else found.arena_bytes + found.persistent_bytes


def _partitions(model: facts.ModelFacts) -> int | None:
    return model.delegation.partitions if model.delegation else None


def _left_out(model: facts.ModelFacts) -> int | None:
    prepared = model.delegation
    if prepared is None or prepared.partitions is None:
        return None
    return len(prepared.left_out)


def _cells(row: _Row) -> list[str]:
    cells = [row.label, *(_cell(value, row) for value in row.values)]
    if len(row.values) == 2:
        cells += _difference(row)
    return cells


def _cell(value: _Number, row: _Row) -> str:
    if value is None:
        return "?"
    return f"{value:.2%}" if row.is_fraction else f"{value:,}"


def _difference(row: _Row) -> list[str]:
    first, second = row.values
    if first is None or second is None:
        return ["?", "?"]
    if first == second:
        return ["", ""]
    if row.is_fraction:
        return [f"{100 * (second - first):+.2f} points", ""]
    ratio = f"{second / first:.3g}x" if first else ""
    return [f"{second - first:+,}", ratio]
