# SPDX-License-Identifier: Apache-2.0
"""Which channels stay when so many may stay.

Knows groups by their name, size and scores only.
"""

import dataclasses
import math
from collections.abc import Collection, Mapping

import numpy as np

from tflite_opt.records import channel_budget

# Number of units that each group keeps, by its name.
Widths = Mapping[str, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """What a group may become.

    Attributes:
        min_fraction: Of the units of a group that stay at least. Without
            it, a ranking over all groups empties single layers.
        round_to: Widths are multiples of it where a group has as many.
        protected: Names of groups that stay whole.
    """

    min_fraction: float
    round_to: int
    protected: Collection[str] = ()


class Choices:
    """All groups of a model and the order in which their units go.

    Attributes:
        sizes: Units of each group, by its name.
        floors: Fewest units of each group.
    """

    def __init__(
        self,
        scores: Mapping[str, np.ndarray],
        channels_per_unit: Mapping[str, int],
        ranking: channel_budget.Ranking,
        limits: Limits,
    ) -> None:
        """Ranks the units.

        Args:
            scores: By name of the group, shape (units,): the higher, the
                longer a unit stays. Comparable between groups.
            channels_per_unit: Channels that a unit of each group stands for.
            ranking: `global` compares all units with each other, `per_layer`
                takes the same fraction of each group.
            limits: What a group may become.
        """
        self.sizes = {name: len(x) for name, x in scores.items()}
        self._scores = scores
        self._widths = {
            name: _allowed(
                size,
                limits,
                max(1, limits.round_to // channels_per_unit[name]),
                name in limits.protected,
            )
            for name, size in self.sizes.items()
        }
        self.floors = {name: x[0] for name, x in self._widths.items()}
        self._ranks = {
            name: x if ranking == "global" else _fractions(x)
            for name, x in scores.items()
        }
        names = [name for name, n in self.sizes.items() for _ in range(n)]
        ranks = np.concatenate(list(self._ranks.values()))
        order = np.argsort(-ranks, kind="stable")
        self._order = [names[i] for i in order]

    def __len__(self) -> int:
        """Returns the number of units of all groups."""
        return len(self._order)

    def evenly(self, fraction: float) -> dict[str, int]:
        """Returns widths of about the same fraction of each group.

        Args:
            fraction: In [0, 1].
        """
        return self._nearest(
            {name: fraction * size for name, size in self.sizes.items()}
        )

    def widths(self, count: int) -> dict[str, int]:
        """Returns the widths at which about `count` units are left.

        The more units, the wider is each group.

        Args:
            count: In [0, len(self)].
        """
        best = dict.fromkeys(self.sizes, 0)
        for name in self._order[:count]:
            best[name] += 1
        return self._nearest(best)

    def _nearest(self, wanted: Mapping[str, float]) -> dict[str, int]:
        return {
            name: min(self._widths[name], key=lambda w: (abs(w - n), w))
            for name, n in wanted.items()
        }

    def wider(self, widths: Widths) -> list[tuple[float, str, int]]:
        """Returns for each group that can be wider the next step.

        Args:
            widths: Of all groups.

        Returns:
            The mean rank of the units that come back, the group and its new
            width; the best step first.
        """
        found = []
        for name, width in widths.items():
            above = [w for w in self._widths[name] if w > width]
            if above:
                ranks = np.sort(self._ranks[name])[::-1]
                mean = float(ranks[width : above[0]].mean())
                found.append((mean, name, above[0]))
        return sorted(found, reverse=True)

    def keep(self, widths: Widths) -> dict[str, np.ndarray]:
        """Returns the indices of the units that stay, in order.

        Args:
            widths: Of all groups.
        """
        return {
            name: np.sort(
                np.argsort(-self._scores[name], kind="stable")[:width]
            )
            for name, width in widths.items()
        }


def _allowed(
    size: int, limits: Limits, step: int, is_protected: bool
) -> tuple[int, ...]:
    """Returns the widths that a group may have, the smallest first."""
    if is_protected:
        return (size,)
    least = max(1, math.ceil(size * limits.min_fraction))
    first = math.ceil(least / step) * step
    return (*range(first, size, step), size)


def _fractions(scores: np.ndarray) -> np.ndarray:
    """Returns for each unit which fraction of its group is no better."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(len(scores), 0, -1)
    return ranks / len(scores)
