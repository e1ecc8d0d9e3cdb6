# SPDX-License-Identifier: Apache-2.0
"""The studentized bootstrap of a location over launches.

Values are logarithms of launch medians, or differences of two such. The
location is the mean without the extreme tenth at each end, so that one launch
in a busy moment does not decide; its error is that of the winsorized values.

A resample that happens to hold near copies of a few launches has next to no
error to divide by, and a handful of those would stretch an interval to many
times the spread. So each error is steadied by a part of the one of all
launches: a statistic like another, and the bootstrap finds its quantiles.
`docs/measurements/statistics` holds the coverage of this interval and of
others on simulated launches.
"""

import dataclasses
import math

import numpy as np

NUM_RESAMPLES = 9999
TRIMMED_FRACTION = 0.1
STEADINESS = 0.25
# Below that there is no measured coverage.
MIN_LAUNCHES = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Location:
    """A location with the bootstrap distribution of its error.

    Attributes:
        estimate: The trimmed mean.
        standard_error: 0 if the values do not spread.
        pivots: Distances of resampled estimates from this one in their own
            steadied standard errors, absolute, ascending, shape
            `(resamples,)`; without steadying the last ones may be infinite.

    References:
        Hall, "The Bootstrap and Edgeworth Expansion", 1992, section 3.10.4
        (symmetric bootstrap-t).
        Yuen, "The two-sample trimmed t for unequal population variances",
        Biometrika 61, 1974.
    """

    estimate: float
    standard_error: float
    pivots: np.ndarray

    def half_width(self, alpha: float) -> float:
        """Returns how far the interval at level 1 - alpha reaches each way.

        Infinite where the launches are too few for the level.
        """
        if self.standard_error == 0:
            return 0.0
        rank = math.ceil((1 - alpha) * (len(self.pivots) + 1))
        if rank > len(self.pivots):
            return math.inf
        return self.standard_error * float(self.pivots[rank - 1])

    def p_value(self, bound: float) -> float:
        """Returns the smallest alpha whose interval leaves `bound` out."""
        distance = abs(self.estimate - bound)
        if self.standard_error == 0:
            return 1.0 if distance == 0 else 1 / (len(self.pivots) + 1)
        index = np.searchsorted(self.pivots, distance / self.standard_error)
        beyond = len(self.pivots) - int(index)
        return (1 + beyond) / (len(self.pivots) + 1)


def one_sample(
    values: np.ndarray,
    *,
    seed: int,
    num_resamples: int = NUM_RESAMPLES,
    trimmed_fraction: float = TRIMMED_FRACTION,
    steadiness: float = STEADINESS,
) -> Location:
    """Returns the location of independent values.

    Args:
        values: Shape `(n,)`, n at least 1.
        seed: Of the resamples.
        num_resamples: How many.
        trimmed_fraction: Left out at each end, in [0, 0.5).
        steadiness: Part of the standard error that steadies; 0 for the plain
            bootstrap-t.
    """
    resampled = _resample(values, np.random.default_rng(seed), num_resamples)
    estimates, standard_errors = _trimmed(resampled, trimmed_fraction)
    estimate, standard_error = _trimmed(values, trimmed_fraction)
    return _location(
        estimate, standard_error, estimates, standard_errors, steadiness
    )


def two_samples(
    first: np.ndarray,
    second: np.ndarray,
    *,
    seed: int,
    num_resamples: int = NUM_RESAMPLES,
) -> Location:
    """Returns the location of `second` less that of `first`, not paired.

    Args:
        first: Shape `(n,)`.
        second: Shape `(m,)`, independent of `first`.
        seed: Of the resamples.
        num_resamples: How many.
    """
    generator = np.random.default_rng(seed)
    parts = []
    for sample in (first, second):
        resampled = _resample(sample, generator, num_resamples)
        parts.append(
            (
                _trimmed(sample, TRIMMED_FRACTION),
                _trimmed(resampled, TRIMMED_FRACTION),
            )
        )
    ((before, before_error), (befores, before_errors)) = parts[0]
    ((after, after_error), (afters, after_errors)) = parts[1]
    return _location(
        after - before,
        np.hypot(before_error, after_error),
        afters - befores,
        np.hypot(before_errors, after_errors),
        STEADINESS,
    )


def _resample(
    values: np.ndarray, generator: np.random.Generator, num_resamples: int
) -> np.ndarray:
    size = len(values)
    return values[generator.integers(size, size=(num_resamples, size))]


def _trimmed(
    values: np.ndarray, fraction: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns trimmed means and their standard errors, by row."""
    ordered = np.sort(values, axis=-1)
    size = ordered.shape[-1]
    cut = int(fraction * size)
    kept = ordered[..., cut : size - cut]
    winsorized = np.clip(ordered, kept[..., :1], kept[..., -1:])
    if size == 1:
        return kept.mean(axis=-1), np.zeros(ordered.shape[:-1])
    # Equal values must give exactly 0, whatever rounding does to their mean.
    spread = np.where(
        kept[..., 0] == kept[..., -1], 0.0, winsorized.std(axis=-1, ddof=1)
    )
    return kept.mean(axis=-1), spread * np.sqrt(size) / (size - 2 * cut)


def _location(
    estimate: np.ndarray,
    standard_error: np.ndarray,
    estimates: np.ndarray,
    standard_errors: np.ndarray,
    steadiness: float,
) -> Location:
    """Studentizes resampled estimates around the estimate."""
    errors = np.hypot(standard_errors, steadiness * standard_error)
    pivots = np.full(estimates.shape, np.inf)
    np.divide(
        np.abs(estimates - estimate), errors, out=pivots, where=errors > 0
    )
    # The same steadying of the estimate's own error, in units of that error.
    pivots *= np.hypot(1, steadiness)
    return Location(
        estimate=float(estimate),
        standard_error=float(standard_error),
        pivots=np.sort(pivots),
    )
