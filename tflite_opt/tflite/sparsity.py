# SPDX-License-Identifier: Apache-2.0
"""TFLite's sparse encoding: which elements are stored, and what it would cost.

A dimension is stored densely, or as compressed rows: for each position of the
dimensions before it, a segment of indices of the elements that are there.
Blocks are further, inner dimensions. Values are never touched here.

References:
    Kjolstad et al., "The Tensor Algebra Compiler", 2017.
    http://fredrikbk.com/publications/taco.pdf
    `SparsityParameters` in
    https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from tflite_opt.tflite import checked_table

# The dtypes that the runtime's DENSIFY takes.
ENCODABLE_DTYPES = frozenset({"float32", "float16", "int8"})

_SPARSE_CSR = 1
_INDEX_DTYPES = {1: "int32", 2: "uint16", 3: "uint8"}
# Tables and vector lengths of one tensor's parameters, of the tensor that
# DENSIFY writes, and of the operation itself.
_OVERHEAD_BYTES = 240
_SCALE_AND_ZERO_POINT_BYTES = 4 + 8


def encoded_bytes(
    shape: tuple[int, ...], nonzero: int, item_bytes: int, num_scales: int = 0
) -> int:
    """Returns an estimate of what a weight takes in the sparse encoding.

    As the converter chooses it without blocks: all dimensions dense, but the
    last one as compressed rows. One value and one index for each element that
    is not zero, and one segment for each row; indices as narrow as they can
    be. With DENSIFY, which most operations need in front of them.

    Args:
        shape: Of the dense tensor, without open dimensions.
        nonzero: Number of elements that are not zero.
        item_bytes: Of one element.
        num_scales: Of its quantization, which DENSIFY's output repeats.
    """
    rows = math.prod(shape[:-1])
    columns = shape[-1] if shape else 1
    return (
        nonzero * item_bytes
        + (rows + 1) * _index_bytes(nonzero)
        + nonzero * _index_bytes(columns - 1)
        + num_scales * _SCALE_AND_ZERO_POINT_BYTES
        + _OVERHEAD_BYTES
    )


def _index_bytes(largest: int) -> int:
    return 1 if largest < 1 << 8 else 2 if largest < 1 << 16 else 4


@dataclasses.dataclass(frozen=True)
class _Level:
    """One stored dimension; `segments` is None if it is dense."""

    size: int
    segments: np.ndarray | None
    indices: np.ndarray


def coordinates(
    table: checked_table.Table,
    shape: tuple[int, ...],
    axis: int,
    count: int,
    charge: Callable[[int], None],
) -> np.ndarray:
    """Returns where stored elements are along one dimension.

    Args:
        table: The tensor's sparsity parameters.
        shape: Of the dense tensor.
        axis: The dimension, in [0, rank).
        count: Number of stored elements.
        charge: Told beforehand how many numbers will be looked at; may raise.

    Returns:
        Shape (count,), int64, in the order of storage, each in
        [0, shape[axis]).

    Raises:
        FormatError: If the parameters do not describe `count` elements of
            such a tensor.
    """
    order, block_map = table.integers(0), table.integers(1)
    levels = [_level(dimension, charge) for dimension in table.tables(2)]
    rank, stored = len(shape), len(levels)
    if (
        stored != rank + len(block_map)
        or sorted(order[:rank]) != list(range(rank))
        or sorted(order[rank:]) != list(range(rank, stored))
        or any(not 0 <= dimension < rank for dimension in block_map)
        or any(level.segments is not None for level in levels[rank:])
    ):
        raise _unfit()
    # Each position of a level leads to elements, or to a segment.
    limit = max([count, *(len(level.indices) for level in levels)])
    limit = max([limit, *(_num_segments(level) for level in levels)])
    charge(limit * len(levels))
    found = np.zeros(1, "int64")
    for dimension, level in zip(order, levels, strict=True):
        parents, index = _expand(level, len(found), limit)
        found = found[parents]
        if dimension == axis:
            found = index
        elif dimension >= rank and block_map[dimension - rank] == axis:
            found = found * level.size + index
    if (
        len(found) != count
        or found.min(initial=0) < 0
        or found.max(initial=0) >= shape[axis]
    ):
        raise _unfit()
    return found


def _expand(
    level: _Level, parents: int, limit: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns, for each position of a level, its parent's number and index."""
    numbers = np.arange(parents)
    if level.segments is None:
        if parents * level.size > limit:
            raise _unfit()
        return (
            np.repeat(numbers, level.size),
            np.tile(np.arange(level.size), parents),
        )
    lengths = np.diff(level.segments)
    if (
        len(lengths) != parents
        or level.segments[0] != 0
        or lengths.min(initial=0) < 0
        or level.segments[-1] != len(level.indices)
    ):
        raise _unfit()
    return np.repeat(numbers, lengths), level.indices


def _num_segments(level: _Level) -> int:
    return 0 if level.segments is None else len(level.segments)


def _level(table: checked_table.Table, charge: Callable[[int], None]) -> _Level:
    if table.scalar(0, "int8") != _SPARSE_CSR:
        size = table.scalar(1, "int32")
        if size < 0:
            raise _unfit()
        return _Level(size, None, np.empty(0, "int64"))
    return _Level(0, _indices(table, 2, charge), _indices(table, 4, charge))


def _indices(
    table: checked_table.Table, field: int, charge: Callable[[int], None]
) -> np.ndarray:
    kind, vector = table.scalar(field, "uint8"), table.table(field + 1)
    if kind not in _INDEX_DTYPES or vector is None:
        raise _unfit()
    stored = vector.numbers(0, _INDEX_DTYPES[kind])
    charge(len(stored))
    return stored.astype("int64")


def _unfit() -> checked_table.FormatError:
    return checked_table.FormatError("a tensor's sparsity does not fit it")
