# SPDX-License-Identifier: Apache-2.0
"""Which weights survive: masks from scores, by pattern.

A mask is True where the weight survives. The weights with the lowest scores
go; of equal scores those that come first. Numpy only.
"""

import math

import numpy as np

from tflite_opt.records import pruning


def mask(
    scores: np.ndarray,
    pattern: pruning.Pattern,
    sparsity: float,
) -> np.ndarray:
    """Returns which weights survive.

    Args:
        scores: How important each weight is, shape of the kernel, the output
            channels last. Weights that must stay zero have -inf.
        pattern: Where zeros may be.
        sparsity: How much of the kernel is to be zero now, in [0, 1); up to
            `pattern.sparsity`.

    Returns:
        Shape of the kernel, bool.
    """
    if pattern.n_of_m is not None:
        size = pattern.n_of_m[1]
        return _n_of_m(scores, round(sparsity * size), size)
    if pattern.block_size is not None:
        rows, columns = pattern.block_size
        return _blocks(scores, sparsity, rows, columns)
    return _lowest_dropped(scores, round(sparsity * scores.size))


def _lowest_dropped(scores: np.ndarray, count: int) -> np.ndarray:
    flat = scores.reshape(-1)
    if not count:
        return np.ones(scores.shape, bool)
    highest_dropped = np.partition(flat, count - 1)[count - 1]
    survives = flat > highest_dropped
    ties = np.flatnonzero(flat == highest_dropped)
    survives[ties[count - np.count_nonzero(flat < highest_dropped) :]] = True
    return survives.reshape(scores.shape)


def _n_of_m(scores: np.ndarray, zeros: int, size: int) -> np.ndarray:
    rows = np.moveaxis(scores, -1, 0)
    flat = rows.reshape(len(rows), -1)
    whole = flat.shape[1] // size * size
    groups = flat[:, :whole].reshape(-1, size)
    survives = np.ones(flat.shape, bool)
    dropped = np.argsort(groups, axis=1, kind="stable")[:, :zeros]
    kept = np.ones(groups.shape, bool)
    np.put_along_axis(kept, dropped, False, axis=1)
    survives[:, :whole] = kept.reshape(len(rows), whole)
    return np.moveaxis(survives.reshape(rows.shape), 0, -1)


def _blocks(
    scores: np.ndarray, sparsity: float, rows: int, columns: int
) -> np.ndarray:
    flat = scores.reshape(scores.shape[-2:])
    height, width = (
        math.ceil(flat.shape[0] / rows),
        math.ceil(flat.shape[1] / columns),
    )
    padding = (
        (0, height * rows - flat.shape[0]),
        (0, width * columns - flat.shape[1]),
    )
    sums, counts = (
        np.pad(x, padding)
        .reshape(height, rows, width, columns)
        .sum(axis=(1, 3))
        for x in (flat, np.ones_like(flat))
    )
    kept = _lowest_dropped(sums / counts, round(sparsity * sums.size))
    large = kept.repeat(rows, axis=0).repeat(columns, axis=1)
    return large[: flat.shape[0], : flat.shape[1]].reshape(scores.shape)
