# SPDX-License-Identifier: Apache-2.0
"""How well a model predicts, and how far it is from another one."""

import dataclasses
import pathlib
from typing import Literal

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import serialization

Verdict = Literal["within", "exceeded", "not provable"]
LossUnit = Literal["fraction", "relative", "metric"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric(serialization.Record):
    """One number with its 95 % confidence interval.

    Attributes:
        name: As in `--metric`: `top1`, `mae`, ...
        value: Point estimate.
        low: Lower bound.
        high: Upper bound.
        higher_is_better: Direction of improvement.
        method: How the interval was made, e.g. `wilson`.
        is_fraction: Whether its unit is a fraction, which tables show as a
            percentage.
    """

    name: str
    value: float
    low: float
    high: float
    higher_is_better: bool
    method: str
    is_fraction: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Agreement(serialization.Record):
    """Outputs of a model against those of the model it came from.

    Attributes:
        num_examples: How many examples both have seen.
        same_predictions: Fraction of equal top-1 predictions; None where the
            first output is no class scores.
        max_absolute_difference: Over all outputs, after dequantization.
        mean_absolute_difference: Likewise.
    """

    num_examples: int
    same_predictions: float | None
    max_absolute_difference: float
    mean_absolute_difference: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class MetricDrop(serialization.Record):
    """Paired loss of the primary metric against a baseline, same examples.

    Attributes:
        baseline: SHA-256 of the baseline's file.
        num_examples: Number of pairs.
        value: How much worse the candidate is; positive is worse, whichever
            direction is better.
        low: Lower bound of the paired 95 % interval.
        high: Upper bound.
        method: How the interval was made.
        only_baseline_correct: Examples that only the baseline gets right;
            None where an example is not simply right or wrong.
        only_candidate_correct: Examples that only the candidate gets right;
            None likewise.
        max_accuracy_drop: The limit it was judged by, in the same unit.
        verdict: `within` if `high` is at most the limit, `exceeded` if `low`
            is beyond it, else `not provable` with this many examples.
        examples_needed: How many examples would decide it if the observed
            rates held; None if decided, if no number would, or where an
            example is not simply right or wrong.
        unit: `fraction` is the difference of two fractions. An error has no
            natural size, so its loss is `relative`: the difference divided by
            the baseline's value, 0.005 is half a percent of it. `metric` is
            the difference in the metric's own unit, where that value is 0 on
            the examples or on a resample of them.
    """

    baseline: str
    num_examples: int
    value: float
    low: float
    high: float
    method: str
    only_baseline_correct: int | None
    only_candidate_correct: int | None
    max_accuracy_drop: float
    verdict: Verdict
    examples_needed: int | None
    unit: LossUnit = "fraction"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation(serialization.Record):
    """One artifact on one split.

    Attributes:
        artifact: What was evaluated.
        dataset: Name of the data set.
        split: `validation` or `test`.
        data_fingerprint: Hash of the split's inputs, labels and ids.
        metrics: The first one is the primary metric.
        num_examples: Examples evaluated.
        predictions_path: `.npz` with `ids` (n,) int64, `labels` where there
            is one for each example, and what the metrics keep of each
            example, such as `predictions` (n,) int64; paired statistics need
            them.
        predictions_sha256: Of that file.
        agreement: None without outputs of the original model.
        drop: None for the baseline itself or without one.
        is_labelled: Whether the split has labels.
    """

    artifact: artifact_record.Artifact
    dataset: str
    split: str
    data_fingerprint: str
    metrics: tuple[Metric, ...]
    num_examples: int
    predictions_path: pathlib.Path
    predictions_sha256: str
    agreement: Agreement | None = None
    drop: MetricDrop | None = None
    is_labelled: bool = True

    @property
    def metric(self) -> Metric:
        """The primary metric."""
        return self.metrics[0]

    def metric_called(self, name: str) -> Metric | None:
        """Returns the metric of that name, if it was computed."""
        return next((m for m in self.metrics if m.name == name), None)
