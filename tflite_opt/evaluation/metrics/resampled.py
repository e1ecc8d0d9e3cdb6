# SPDX-License-Identifier: Apache-2.0
"""Metrics whose intervals come from resampling the examples."""

import abc
from typing import ClassVar

import numpy as np

from tflite_opt.evaluation import bootstrap
from tflite_opt.evaluation.metrics import base
from tflite_opt.records import errors, evaluation


class Resampled(base.Metric):
    """Any other number: percentile bootstrap over examples.

    Equal statistics give a loss of exactly nothing, and an interval that is
    a point.
    """

    @abc.abstractmethod
    def values(
        self, statistics: base.Statistics, counts: np.ndarray
    ) -> np.ndarray:
        """Returns the metric on resamples.

        Args:
            statistics: Of all examples.
            counts: How often each example counts, shape `(resamples, n)`,
                float64.

        Returns:
            Shape `(resamples,)`.
        """

    def strata(self, statistics: base.Statistics) -> np.ndarray:
        """Returns groups that keep their sizes in resamples, shape `(n,)`."""
        return np.zeros(_size(statistics), np.int64)

    def num_resamples(self, statistics: base.Statistics) -> int:
        """Returns how many resamples are drawn."""
        del statistics
        return 2000

    def measure(self, statistics: base.Statistics) -> evaluation.Metric:
        """Returns the value on all examples."""
        value, drawn = self._bootstrap(statistics)
        low, high = bootstrap.interval(drawn[0])
        return evaluation.Metric(
            name=self.name,
            value=float(value[0]),
            low=low,
            high=high,
            higher_is_better=self.higher_is_better,
            method=bootstrap.METHOD,
            is_fraction=self.is_fraction,
        )

    def loss(
        self, statistics: base.Statistics, baseline: base.Statistics
    ) -> base.Loss:
        """Returns the difference, for errors relative to the baseline's."""
        value, drawn = self._bootstrap(statistics, baseline)
        unit: evaluation.LossUnit = "fraction"
        if not self.is_fraction:
            zero = value[1] == 0 or bool((drawn[1] == 0).any())
            unit = "metric" if zero else "relative"
        low, high = bootstrap.interval(self._worse(drawn, unit))
        return base.Loss(
            value=float(self._worse(value, unit)),
            low=low,
            high=high,
            method=bootstrap.METHOD,
            unit=unit,
        )

    def _worse(self, pair: np.ndarray, unit: evaluation.LossUnit) -> np.ndarray:
        candidate, baseline = pair
        worse = candidate - baseline
        if self.higher_is_better:
            worse = baseline - candidate
        return worse / np.abs(baseline) if unit == "relative" else worse

    def _bootstrap(
        self, *models: base.Statistics
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns values on all examples and on resamples, a row a model."""

        def evaluate(counts: np.ndarray) -> np.ndarray:
            return np.stack([self.values(model, counts) for model in models])

        first = models[0]
        value = evaluate(np.ones((1, _size(first))))[:, 0]
        if not np.isfinite(value).all():
            raise errors.ModelError(
                f"The metric {self.name} must be a finite number. "
                f"Received: {value[0]}. Look for NaN and infinity in the "
                "outputs and labels."
            )
        drawn = bootstrap.distribution(
            evaluate,
            self.strata(first),
            self.num_resamples(first),
        )
        return value, drawn


class Mean(Resampled):
    """The mean of one number for each example.

    Attributes:
        key: Its name among the statistics.
    """

    key: ClassVar[str]

    def values(
        self, statistics: base.Statistics, counts: np.ndarray
    ) -> np.ndarray:
        """Returns weighted means."""
        return counts @ statistics[self.key] / counts.sum(axis=1)


def _size(statistics: base.Statistics) -> int:
    return len(next(iter(statistics.values())))
