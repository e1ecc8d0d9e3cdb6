# SPDX-License-Identifier: Apache-2.0
"""The percentile bootstrap over examples.

A resample is given as how often it holds each example, so that a statistic
that is a sum over examples takes one product of matrices for many resamples.
With one seed, two models see the same resamples, as a paired interval needs.
"""

from collections.abc import Callable

import numpy as np

METHOD = "percentile bootstrap"

_SEED = 0
_BOUNDS = (0.025, 0.975)
# Counts held at a time, 8 bytes each.
_MAX_COUNTS = 1 << 21


def distribution(
    statistic: Callable[[np.ndarray], np.ndarray],
    strata: np.ndarray,
    num_resamples: int,
) -> np.ndarray:
    """Returns a statistic on resamples of the examples.

    Args:
        statistic: Gets counts of shape `(resamples, n)`, float64, and returns
            shape `(..., resamples)`.
        strata: Shape `(n,)`; each resample holds as many examples of each
            value as there are.
        num_resamples: At least 1.

    Returns:
        Shape `(..., num_resamples)`.
    """
    generator = np.random.default_rng(_SEED)
    members = [np.flatnonzero(strata == s) for s in np.unique(strata)]
    step = max(1, _MAX_COUNTS // len(strata))
    parts = []
    for begin in range(0, num_resamples, step):
        rows = min(step, num_resamples - begin)
        counts = np.empty((rows, len(strata)))
        for positions in members:
            counts[:, positions] = _counts(generator, rows, len(positions))
        parts.append(statistic(counts))
    return np.concatenate(parts, axis=-1)


def _counts(
    generator: np.random.Generator, num_resamples: int, size: int
) -> np.ndarray:
    """Returns how often each of `size` is among `size` draws, by row."""
    drawn = generator.integers(size, size=(num_resamples, size))
    drawn += size * np.arange(num_resamples)[:, None]
    counts = np.bincount(drawn.reshape(-1), minlength=num_resamples * size)
    return counts.reshape(num_resamples, size)


def interval(values: np.ndarray) -> tuple[float, float]:
    """Returns the 95 % percentile interval.

    It is a point when the statistic is the same on every resample.

    Args:
        values: Of the statistic on resamples, shape `(resamples,)`.

    References:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
        chapter 13.
    """
    low, high = np.quantile(values, _BOUNDS)
    return float(low), float(high)
