# SPDX-License-Identifier: Apache-2.0
"""Confidence intervals for proportions, alone and paired.

scipy is imported inside the functions: it takes longer to import than a
command may take to start.
"""

import math

import numpy as np

from tflite_opt.records import evaluation

_CONFIDENCE = 0.95


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Returns the Wilson score interval of a proportion at 95 %.

    Args:
        successes: In [0, trials].
        trials: At least 1.

    References:
        Wilson, "Probable Inference, the Law of Succession, and Statistical
        Inference", 1927.
    """
    return _proportion(successes, trials, "wilson")


def clopper_pearson(successes: int, trials: int) -> tuple[float, float]:
    """Returns the exact interval of a proportion at 95 %.

    It holds the truth at least that often, for any number of trials.

    Args:
        successes: In [0, trials].
        trials: At least 1.

    References:
        Clopper and Pearson, "The use of confidence or fiducial limits
        illustrated in the case of the binomial", Biometrika 26, 1934.
    """
    return _proportion(successes, trials, "exact")


def _proportion(
    successes: int, trials: int, method: str
) -> tuple[float, float]:
    from scipy import stats

    interval = stats.binomtest(successes, trials).proportion_ci(
        confidence_level=_CONFIDENCE, method=method
    )
    return float(interval.low), float(interval.high)


def accuracy(name: str, correct: int, total: int) -> evaluation.Metric:
    """Returns an accuracy with its Wilson interval.

    Args:
        name: Of the metric, e.g. `top1`.
        correct: In [0, total].
        total: Number of examples, at least 1.
    """
    low, high = wilson(correct, total)
    return evaluation.Metric(
        name=name,
        value=correct / total,
        low=low,
        high=high,
        higher_is_better=True,
        method="wilson",
    )


def auc(name: str, scores: np.ndarray, labels: np.ndarray) -> evaluation.Metric:
    """Returns the area under the ROC curve with Newcombe's interval.

    Like Wilson's, the interval holds the areas that are within 1.96 of their
    own standard errors, so it does not collapse when all scores are in order.

    Args:
        name: Of the metric.
        scores: Higher for class 1, shape `(n,)`.
        labels: 0 or 1, shape `(n,)`; both occur.

    References:
        Newcombe, "Confidence intervals for an effect size measure based on
        the Mann-Whitney statistic. Part 2", Statistics in Medicine 25, 2006,
        method 5.
        Hanley and McNeil, "The meaning and use of the area under a receiver
        operating characteristic (ROC) curve", Radiology 143, 1982.
    """
    from scipy import optimize, special, stats

    high, low = scores[labels == 1], scores[labels == 0]
    pairs = len(high) * len(low)
    value = float(stats.mannwhitneyu(high, low).statistic) / pairs
    z = float(special.ndtri(0.5 + _CONFIDENCE / 2))

    def excess(area: float) -> float:
        others = (len(scores) / 2 - 1) * (
            (1 - area) / (2 - area) + area / (1 + area)
        )
        return (value - area) ** 2 - z**2 * area * (1 - area) * (
            1 + others
        ) / pairs

    # At 0 and 1 the equation has a root that is no bound.
    inside = min(max(value, 1e-12), 1 - 1e-12)
    return evaluation.Metric(
        name=name,
        value=value,
        low=float(optimize.brentq(excess, 0, inside)) if value > 0 else 0.0,
        high=float(optimize.brentq(excess, inside, 1)) if value < 1 else 1.0,
        higher_is_better=True,
        method="newcombe",
    )


def paired_difference(
    only_first: float, only_second: float, pairs: float
) -> tuple[float, float]:
    """Returns Tango's score interval of a difference of paired proportions.

    Unlike the Wald interval it does not collapse to a point when no pair
    disagrees, so equal predictions on few examples prove little.

    Args:
        only_first: Pairs in which only the first is a success. May be
            fractional, for sample-size planning.
        only_second: Pairs in which only the second is.
        pairs: All pairs, at least 1.

    Returns:
        Bounds at 95 % of P(first) - P(second), in [-1, 1].

    References:
        Tango, "Equivalence test and confidence interval for the difference in
        proportions for the paired-sample design", Statistics in Medicine 17,
        1998, equations 17 to 20.
    """
    from scipy import optimize, special

    z = float(special.ndtri(0.5 + _CONFIDENCE / 2))
    estimate = (only_first - only_second) / pairs

    def excess(difference: float, sign: float) -> float:
        score = _tango_score(only_first, only_second, pairs, difference)
        return score - sign * z

    limit = 1 - 1e-12
    low = (
        -1.0
        if estimate <= -limit
        else optimize.brentq(excess, -limit, estimate, args=(1.0,))
    )
    high = (
        1.0
        if estimate >= limit
        else optimize.brentq(excess, estimate, limit, args=(-1.0,))
    )
    return float(low), float(high)


def _tango_score(
    only_first: float, only_second: float, pairs: float, difference: float
) -> float:
    """Tango's score statistic for the hypothesis of a given difference."""
    # Restricted maximum likelihood estimate of P(only second), the larger
    # root of 2n q^2 + linear q + constant = 0.
    linear = (
        -only_first
        - only_second
        + (2 * pairs - only_first + only_second) * difference
    )
    constant = -only_second * difference * (1 - difference)
    root = math.sqrt(max(linear**2 - 8 * pairs * constant, 0.0))
    second = (root - linear) / (4 * pairs)
    variance = pairs * (2 * second + difference * (1 - difference))
    distance = only_first - only_second - pairs * difference
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def pairs_needed(
    only_first: int, only_second: int, pairs: int, limit: float
) -> int | None:
    """Returns how many pairs would decide on which side of `limit` it lies.

    Assumes that the observed rates hold: the interval of that many pairs lies
    entirely below or entirely above the limit.

    Args:
        only_first: Pairs in which only the first is a success.
        only_second: Pairs in which only the second is.
        pairs: All pairs.
        limit: Of P(first) - P(second).

    Returns:
        At least `pairs`; None if the estimate is the limit itself or a
        billion pairs would not do.
    """

    def decided(factor: float) -> bool:
        low, high = paired_difference(
            only_first * factor, only_second * factor, pairs * factor
        )
        return high <= limit or low > limit

    largest = 1e9 / pairs
    if not decided(largest):
        return None
    low, high = 0.0, math.log(largest)
    for _ in range(60):
        middle = (low + high) / 2
        if decided(math.exp(middle)):
            high = middle
        else:
            low = middle
    return math.ceil(pairs * math.exp(high))
