# SPDX-License-Identifier: Apache-2.0
"""Mean absolute and mean squared error of predicted values."""

import numpy as np

from tflite_opt.evaluation.metrics import base, resampled
from tflite_opt.evaluation.metrics import task as task_lib


class MeanAbsoluteError(resampled.Mean):
    """Mean over examples of the mean absolute error of an example.

    Keeps `absolute_error`, float64.
    """

    name = "mae"
    higher_is_better = False
    is_fraction = False
    key = "absolute_error"

    @classmethod
    def is_natural(cls, task: task_lib.Task) -> bool:
        """Labels that are values, as many as the output has."""
        return (
            task.labels is not None
            and task.labels.dtype.kind == "f"
            and _fits(task)
        )

    def select(self, task: task_lib.Task) -> tuple[base.Metric, ...]:
        """Adds the squared error."""
        del task
        return self, MeanSquaredError()

    def check(self, task: task_lib.Task) -> None:
        """Needs as many values as the output has."""
        _check_values(self, task)

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns the mean absolute error of each example."""
        return {self.key: np.abs(_differences(batch)).mean(axis=1)}


class MeanSquaredError(resampled.Mean):
    """Mean over examples of the mean squared error of an example.

    Keeps `squared_error`, float64.
    """

    name = "mse"
    higher_is_better = False
    is_fraction = False
    key = "squared_error"

    def check(self, task: task_lib.Task) -> None:
        """Needs as many values as the output has."""
        _check_values(self, task)

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns the mean squared error of each example."""
        return {self.key: np.square(_differences(batch)).mean(axis=1)}


def _check_values(metric: base.Metric, task: task_lib.Task) -> None:
    metric.require(_fits(task), "labels shaped like the first output", task)


def _fits(task: task_lib.Task) -> bool:
    if task.labels is None:
        return False
    return _bare(task.labels.shape[1:]) == _bare(task.output_shape)


def _bare(shape: task_lib.Shape) -> task_lib.Shape:
    """Returns the shape; one column is the same as none."""
    return () if shape == (1,) else shape


def _differences(batch: task_lib.Batch) -> np.ndarray:
    size = len(batch.output)
    found = batch.output.reshape(size, -1).astype(np.float64)
    return found - batch.truth.reshape(size, -1)
