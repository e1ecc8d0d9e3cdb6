# SPDX-License-Identifier: Apache-2.0
"""The ratio of two latencies over launches, and what can be said of it.

Works on the medians of launches, so it serves desktop, phone and the C++ tool
alike. Whether two results may be compared at all is not decided here.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from tflite_opt.benchmark import bootstrap_t, statistics
from tflite_opt.records import benchmark, comparison

DEFAULT_MARGIN = 0.03
_MOST_LAUNCHES = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pair:
    """The launches of a baseline and a candidate.

    Attributes:
        baseline: In the order of the rounds.
        candidate: Likewise.
        margin: Differences up to this fraction do not matter, in (0, 1).
        seed: Of the bootstrap.
    """

    baseline: Sequence[benchmark.Launch]
    candidate: Sequence[benchmark.Launch]
    margin: float = DEFAULT_MARGIN
    seed: int = 0

    @property
    def num_launches(self) -> int:
        """Launches of the one that has fewer."""
        return min(len(self.baseline), len(self.candidate))

    @property
    def pairing(self) -> comparison.Pairing:
        """`rounds` if each round was over before the next one started."""
        if len(self.baseline) != len(self.candidate):
            return "none"
        rounds = [
            sorted((first.started_at, second.started_at))
            for first, second in zip(self.baseline, self.candidate, strict=True)
        ]
        ordered = all(
            before[1] < after[0]
            for before, after in zip(rounds, rounds[1:], strict=False)
        )
        return "rounds" if ordered else "none"

    def location(self) -> bootstrap_t.Location | None:
        """Returns the location of the log ratio; None with few launches."""
        if self.num_launches < bootstrap_t.MIN_LAUNCHES:
            return None
        before, after = _logs(self.baseline), _logs(self.candidate)
        if self.pairing == "rounds":
            return bootstrap_t.one_sample(after - before, seed=self.seed)
        return bootstrap_t.two_samples(before, after, seed=self.seed)


def _logs(launches: Sequence[benchmark.Launch]) -> np.ndarray:
    return np.log([launch.median_ms for launch in launches])


def compare(pairs: Sequence[Pair]) -> list[comparison.LatencyRatio]:
    """Judges pairs that are looked at together.

    Holm's correction keeps the chance that any of them is wrongly called
    faster or slower at 5 %. To find no difference is to reject both bounds of
    the margin, which needs no correction to stay at 5 % for each.

    Args:
        pairs: One for each model.

    References:
        Holm, "A simple sequentially rejective multiple test procedure",
        Scandinavian Journal of Statistics 6, 1979.
    """
    locations = [pair.location() for pair in pairs]
    levels = holm_levels(
        [
            _p_value(found, pair.margin)
            for pair, found in zip(pairs, locations, strict=True)
        ]
    )
    return [
        _judge(pair, location, level)
        for pair, location, level in zip(pairs, locations, levels, strict=True)
    ]


def holm_levels(p_values: Sequence[float]) -> list[float]:
    """Returns the level at which Holm's procedure tests each hypothesis.

    Args:
        p_values: In any order.

    Returns:
        In the same order: 5 % divided by how many hypotheses are left when
        its turn comes; after the first that stands, no further ones fall.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    levels = [0.0] * len(p_values)
    left = len(p_values)
    for index in order:
        levels[index] = statistics.ALPHA / left
        if p_values[index] <= levels[index]:
            left -= 1
    return levels


def noise_floor(pair: Pair) -> float | None:
    """Returns the largest difference that an A against A leaves possible.

    Args:
        pair: Launches of the same file.

    Returns:
        A fraction: the bound of the 95 % interval of the ratio that is
        farther from 1; None with too few launches.
    """
    location = pair.location()
    if location is None:
        return None
    farthest = abs(location.estimate) + location.half_width(statistics.ALPHA)
    return math.expm1(farthest) if math.isfinite(farthest) else None


def launches_needed(
    num_launches: int, width: float, distance: float
) -> int | None:
    """Returns how many launches make an interval narrower than `distance`.

    A width goes down with the root of the number of launches.

    Args:
        num_launches: That there are.
        width: Half the interval of the log ratio.
        distance: From the log ratio to the bound in question.

    Returns:
        More than `num_launches`; None if a thousand would not do.
    """
    if distance == 0 or not math.isfinite(width):
        return None
    # One more than now, for a width that equals the distance.
    needed = max(
        math.ceil(num_launches * (width / distance) ** 2), num_launches + 1
    )
    return needed if needed <= _MOST_LAUNCHES else None


def _nearest(estimate: float, margin: float) -> float:
    """Returns the bound of the margin that is nearest to a log ratio."""
    bounds = (math.log1p(-margin), math.log1p(margin))
    return min(bounds, key=lambda bound: abs(bound - estimate))


def _is_inside(estimate: float, margin: float) -> bool:
    return math.log1p(-margin) <= estimate <= math.log1p(margin)


def _p_value(location: bootstrap_t.Location | None, margin: float) -> float:
    """Returns the p-value of a ratio that lies within the margin."""
    if location is None or _is_inside(location.estimate, margin):
        return 1.0
    return location.p_value(_nearest(location.estimate, margin))


def _judge(
    pair: Pair,
    location: bootstrap_t.Location | None,
    level: float,
) -> comparison.LatencyRatio:
    width = location.half_width(statistics.ALPHA) if location else math.inf
    if location is None or not math.isfinite(width):
        return _undecided(pair)
    estimate = location.estimate
    bound = _nearest(estimate, pair.margin)
    distance = abs(bound - estimate)
    inside = _is_inside(estimate, pair.margin)
    # Only a difference pays for being one of several.
    needed_width = width if inside else location.half_width(level)
    decided = needed_width < distance
    verdict: comparison.Verdict = "inconclusive"
    if decided and inside:
        verdict = "no difference"
    elif decided:
        verdict = "slower" if estimate > 0 else "faster"
    return comparison.LatencyRatio(
        value=math.exp(estimate),
        low=math.exp(estimate - width),
        high=math.exp(estimate + width),
        margin=pair.margin,
        verdict=verdict,
        p_value=location.p_value(bound),
        pairing=pair.pairing,
        num_launches=pair.num_launches,
        launches_needed=(
            None
            if decided
            else launches_needed(pair.num_launches, needed_width, distance)
        ),
    )


def _undecided(pair: Pair) -> comparison.LatencyRatio:
    middle = np.median(_logs(pair.candidate)) - np.median(_logs(pair.baseline))
    return comparison.LatencyRatio(
        value=math.exp(middle),
        low=None,
        high=None,
        margin=pair.margin,
        verdict="inconclusive",
        p_value=None,
        pairing=pair.pairing,
        num_launches=pair.num_launches,
        launches_needed=None,
    )
