# SPDX-License-Identifier: Apache-2.0
"""How near a model is to the original one; needs no labels."""

import numpy as np

from tflite_opt.evaluation.metrics import base, proportion, resampled
from tflite_opt.evaluation.metrics import task as task_lib


class Agreement(proportion.Proportion):
    """Share of examples on which both models have the same top-1.

    Where the first output is no class scores, the relative error takes its
    place. Keeps `same_prediction`, bool.
    """

    name = "agreement"

    @classmethod
    def is_natural(cls, task: task_lib.Task) -> bool:
        """No labels."""
        return task.labels is None

    def select(self, task: task_lib.Task) -> tuple[base.Metric, ...]:
        """Returns itself for vectors of class scores."""
        if task.has_class_scores and task.num_columns:
            return (self,)
        return (RelativeError(),)

    def check(self, task: task_lib.Task) -> None:
        """Needs the original's outputs."""
        _check_original(self, task)

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns where the predictions are the same."""
        found, original = batch.output, batch.original
        same = found.argmax(axis=-1) == original.argmax(axis=-1)
        return {"same_prediction": same}

    def successes(self, statistics: base.Statistics) -> np.ndarray:
        """Returns what was kept."""
        return statistics["same_prediction"]


class RelativeError(resampled.Resampled):
    """Root mean square of the error over that of the original's outputs.

    All outputs count the same, whatever their sizes and scales. Keeps
    `squared_differences` and `squared_originals`, shape `(n, outputs)`,
    float64, each a mean over an example.
    """

    name = "relative_error"
    higher_is_better = False
    is_fraction = True

    def check(self, task: task_lib.Task) -> None:
        """Needs the original's outputs."""
        _check_original(self, task)

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns mean squares of each output."""
        apart, scale = [], []
        for name, output in batch.outputs.items():
            original = (batch.originals or {})[name].astype(np.float64)
            apart.append(_mean_square(output - original))
            scale.append(_mean_square(original))
        return {
            "squared_differences": np.stack(apart, axis=1),
            "squared_originals": np.stack(scale, axis=1),
        }

    def values(
        self, statistics: base.Statistics, counts: np.ndarray
    ) -> np.ndarray:
        """Returns the root of the mean over outputs of the relative squares."""
        apart = counts @ statistics["squared_differences"]
        scale = counts @ statistics["squared_originals"]
        # An output of zeros that stayed zero has no error.
        ratios = np.divide(
            apart,
            scale,
            out=np.where(apart == 0, 0.0, np.inf),
            where=scale > 0,
        )
        return np.sqrt(ratios.mean(axis=1))


def _check_original(metric: base.Metric, task: task_lib.Task) -> None:
    metric.require(
        task.originals is not None,
        "the original model's outputs (--original_outputs), or use labelled "
        "data and another metric",
        task,
    )


def _mean_square(values: np.ndarray) -> np.ndarray:
    return np.square(values.reshape(len(values), -1)).mean(axis=1)
