# SPDX-License-Identifier: Apache-2.0
"""Learns what single choices do to loss, latency and size.

What a technique saves depends little on the others: most multiply a size or a
latency, or add to a loss. So a linear model of the loss and of the logarithms
of the others knows, after a dozen trials, roughly what any recipe costs. One
model is drawn from all that fit the trials (Thompson sampling), and the recipes
are compared in it: what is uncertain is tried, what is known to be bad is not.

References:
    Russo et al., "A Tutorial on Thompson Sampling", 2018.
    https://arxiv.org/abs/1707.02038
    Bishop, "Pattern Recognition and Machine Learning", 2006, equations 3.53
    and 3.54.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from tflite_opt.search import limits as limits_lib
from tflite_opt.search import space as space_lib

# Of loss in units of its limit, and of the logarithms of latency and size: by
# how much two measurements of one recipe differ, and one choice changes them.
_NOISE = np.array([0.3, 0.02, 0.02])
_EFFECT = np.array([3.0, 0.5, 0.5])
# What all recipes have in common may be anything.
_COMMON = 10.0
_NUM_POINTS = 2000
# Points of less loss than none count as well: fine-tuning may gain accuracy.
_LEAST_LOSS = -0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Observation:
    """What is known of a recipe.

    Attributes:
        parameters: Its choices, by name.
        drop: Its loss.
        latency: Over float32's; None if it was not measured.
        size: Bytes that count; likewise.
    """

    parameters: Mapping[str, str]
    drop: float
    latency: float | None = None
    size: float | None = None

    @property
    def costs(self) -> limits_lib.Costs | None:
        """All three; None if one is not known."""
        if self.latency is None or self.size is None:
            return None
        return self.drop, self.latency, self.size


def best(
    candidates: Sequence[Mapping[str, str]],
    observations: Sequence[Observation],
    reference: limits_lib.Costs,
    random: np.random.Generator,
) -> int:
    """Returns which recipe would add the largest volume to the front.

    If none adds any, it is the one that is least beyond the reference.

    Args:
        candidates: Choices by name of each recipe; at least one.
        observations: Of other recipes, one of them with all costs at least.
        reference: Costs at which an artifact is worth nothing.
        random: Draws the model.
    """
    recipes = [*candidates, *(x.parameters for x in observations)]
    rows = _features(recipes)
    ahead, seen = rows[: len(candidates)], rows[len(candidates) :]
    measured = np.array([x.costs is not None for x in observations])
    values = np.array([x.costs for x in observations if x.costs is not None])
    unit = np.array(reference)
    loss, latency, size = (
        ahead @ _drawn(*training, noise, effect, random)
        for training, noise, effect in zip(
            (
                (seen, np.array([x.drop for x in observations]) / unit[0]),
                (seen[measured], np.log(values[:, 1])),
                (seen[measured], np.log(values[:, 2])),
            ),
            _NOISE,
            _EFFECT,
            strict=True,
        )
    )
    costs = np.stack([loss * unit[0], np.exp(latency), np.exp(size)], axis=1)
    free = _undominated(values, unit, random)
    gains = np.array([(free >= row).all(axis=1).sum() for row in costs])
    beyond = np.maximum(costs / unit - 1, 0).sum(axis=1)
    return int(np.lexsort((beyond, -gains))[0])


def _features(recipes: Sequence[Mapping[str, str]]) -> np.ndarray:
    """Returns a row of zeros and ones for each; the last column is 1."""
    columns: dict[tuple[str, str], int] = {}
    chosen = [
        [
            columns.setdefault(choice, len(columns))
            for choice in parameters.items()
            if choice[1] != space_lib.NONE
        ]
        for parameters in recipes
    ]
    rows = np.zeros((len(recipes), len(columns) + 1))
    rows[:, -1] = 1
    for row, indices in zip(rows, chosen, strict=True):
        row[indices] = 1
    return rows


def _drawn(
    rows: np.ndarray,
    values: np.ndarray,
    noise: float,
    effect: float,
    random: np.random.Generator,
) -> np.ndarray:
    """Returns weights of the columns, drawn from those that fit."""
    prior = np.full(rows.shape[1], effect)
    prior[-1] = _COMMON
    precision = rows.T @ rows / noise**2 + np.diag(prior**-2.0)
    covariance = np.linalg.inv(precision)
    mean = covariance @ rows.T @ values / noise**2
    return random.multivariate_normal(mean, covariance, method="eigh")


def _undominated(
    known: np.ndarray, reference: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Returns random points up to the reference that nothing known beats."""
    unit = random.random((_NUM_POINTS, 3))
    unit[:, 0] = _LEAST_LOSS + (1 - _LEAST_LOSS) * unit[:, 0]
    points = unit * reference
    for row in known:
        points = points[(points < row).any(axis=1)]
    return points
