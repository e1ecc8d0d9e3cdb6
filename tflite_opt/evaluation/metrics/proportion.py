# SPDX-License-Identifier: Apache-2.0
"""Metrics that are a share of right examples."""

import abc

import numpy as np

from tflite_opt import intervals
from tflite_opt.evaluation.metrics import base
from tflite_opt.records import evaluation


class Proportion(base.Metric):
    """A share of examples that are right: Wilson's and Tango's intervals."""

    higher_is_better = True
    is_fraction = True

    @abc.abstractmethod
    def successes(self, statistics: base.Statistics) -> np.ndarray:
        """Returns which examples are right, shape `(n,)`, bool."""

    def measure(self, statistics: base.Statistics) -> evaluation.Metric:
        """Returns the share of successes."""
        right = self.successes(statistics)
        return intervals.accuracy(self.name, int(right.sum()), len(right))

    def loss(
        self, statistics: base.Statistics, baseline: base.Statistics
    ) -> base.Loss:
        """Returns the difference of the shares."""
        right, before = self.successes(statistics), self.successes(baseline)
        lost = int((before & ~right).sum())
        won = int((~before & right).sum())
        low, high = intervals.paired_difference(lost, won, len(right))
        return base.Loss(
            value=(lost - won) / len(right),
            low=low,
            high=high,
            method="tango",
            unit="fraction",
            only_baseline_correct=lost,
            only_candidate_correct=won,
        )
