# SPDX-License-Identifier: Apache-2.0
"""The contract of a metric and the registry of all of them."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from tflite_opt.evaluation.metrics import task as task_lib
from tflite_opt.records import errors, evaluation

Statistics = Mapping[str, np.ndarray]

AUTO = "auto"

_REGISTRY: dict[str, type["Metric"]] = {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Loss:
    """How much worse a model is than another one on the same examples.

    Attributes:
        value: Positive is worse.
        low: Lower bound of the paired 95 % interval.
        high: Upper bound.
        method: How the interval was made.
        unit: See `evaluation.MetricDrop`.
        only_baseline_correct: Examples that only the baseline gets right;
            None where an example is not simply right or wrong.
        only_candidate_correct: Likewise for the other model.
    """

    value: float
    low: float
    high: float
    method: str
    unit: evaluation.LossUnit
    only_baseline_correct: int | None = None
    only_candidate_correct: int | None = None


class Metric(abc.ABC):
    """Base of all metrics; subclassing with a `name` registers.

    Statistics are arrays of shape `(n, ...)` with one row for each example.
    All metrics of an evaluation share one name space and one file: the same
    key means the same thing everywhere. `labels` is there without asking when
    there is one label for each example.

    Attributes:
        name: In `--metric`, records and tables.
        higher_is_better: Direction of improvement.
        is_fraction: Whether its unit is a fraction; a loss is then a
            difference, else it is relative to the baseline's value.
    """

    name: str
    higher_is_better: bool
    is_fraction: bool

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Registers concrete metrics under their name."""
        super().__init_subclass__(**kwargs)
        name = cls.__dict__.get("name")
        if isinstance(name, str):
            _REGISTRY[name] = cls

    @classmethod
    def create(cls, argument: str) -> "Metric":
        """Returns the metric that the user asked for.

        Args:
            argument: What follows the name and a colon; mostly nothing.

        Raises:
            InputError: If the argument is wrong or a package is missing.
        """
        if argument:
            raise errors.InputError(
                f"The metric {cls.name!r} takes no argument. "
                f"Received: metric='{cls.name}:{argument}'."
            )
        return cls()

    @classmethod
    def is_natural(cls, task: task_lib.Task) -> bool:
        """Whether `auto` means this metric."""
        del task
        return False

    def select(self, task: task_lib.Task) -> tuple["Metric", ...]:
        """Returns what is computed when this metric is asked for.

        Args:
            task: The shapes and labels.

        Returns:
            The primary metric, then those worth knowing beside it.
        """
        del task
        return (self,)

    @abc.abstractmethod
    def check(self, task: task_lib.Task) -> None:
        """Refuses a task that the metric does not fit.

        Raises:
            DataError: If the labels do not fit.
            ModelError: If the outputs do not.
        """

    @abc.abstractmethod
    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns what is kept of each example; several threads may call it.

        Raises:
            ModelError: If outputs are not finite where they must be.
        """

    def complete(self, statistics: Statistics) -> Statistics:
        """Returns what is stored of the statistics of all examples."""
        return statistics

    @abc.abstractmethod
    def measure(self, statistics: Statistics) -> evaluation.Metric:
        """Returns the value with its interval.

        Raises:
            ModelError: If the value is no finite number.
        """

    @abc.abstractmethod
    def loss(self, statistics: Statistics, baseline: Statistics) -> Loss:
        """Returns the loss against a baseline, paired by example.

        Raises:
            ModelError: If it is no finite number.
        """

    def require(
        self,
        condition: bool,
        rule: str,
        task: task_lib.Task,
        kind: type[errors.InputError] = errors.DataError,
    ) -> None:
        """Raises an error that tells what the metric needs and what is there.

        Args:
            condition: What must be true.
            rule: What the metric needs.
            task: What is there.
            kind: The error.
        """
        if not condition:
            raise kind(
                f"The metric {self.name} needs {rule}. "
                f"Received: {task.describe()}."
            )


def names() -> tuple[str, ...]:
    """Returns the names of all metrics, sorted."""
    return tuple(sorted(_REGISTRY))


def named(text: str) -> Metric:
    """Returns the metric that `--metric` names.

    Args:
        text: A name, for some metrics with `:` and an argument.

    Raises:
        InputError: If it is unknown or cannot be had.
    """
    name, _, argument = text.partition(":")
    if name not in _REGISTRY:
        raise errors.InputError(
            f"`metric` must be {AUTO} or one of {', '.join(names())}. "
            f"Received: metric={text!r}."
        )
    return _REGISTRY[name].create(argument)


def choose(text: str, task: task_lib.Task) -> tuple[Metric, ...]:
    """Returns the metrics to compute, the primary one first.

    Args:
        text: As for `named`, or `auto`.
        task: What they are computed on.

    Raises:
        InputError: If the name is wrong, no metric is the natural one, or one
            does not fit.
    """
    chosen = (_natural(task) if text == AUTO else named(text)).select(task)
    for metric in chosen:
        metric.check(task)
    return chosen


def _natural(task: task_lib.Task) -> Metric:
    found = [cls for cls in _REGISTRY.values() if cls.is_natural(task)]
    if len(found) != 1:
        raise errors.DataError(
            "The labels and outputs must tell which metric is meant. "
            f"Received: {task.describe()}. Choose one with --metric: "
            f"{', '.join(names())}."
        )
    return found[0].create("")
