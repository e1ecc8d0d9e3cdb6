# SPDX-License-Identifier: Apache-2.0
"""Top-1 and top-5 accuracy of a classifier."""

import numpy as np

from tflite_opt.evaluation.metrics import base, proportion
from tflite_opt.evaluation.metrics import task as task_lib
from tflite_opt.records import errors

_K = 5


class Top1(proportion.Proportion):
    """Share of examples whose highest score is that of the label.

    Keeps `predictions`, int64. Ties go to the lower class.
    """

    name = "top1"

    @classmethod
    def is_natural(cls, task: task_lib.Task) -> bool:
        """Class indices and class scores."""
        return task.has_class_indices and task.has_class_scores

    def select(self, task: task_lib.Task) -> tuple[base.Metric, ...]:
        """Adds top-5 where it says more than nothing."""
        return (self, Top5()) if task.num_columns > _K else (self,)

    def check(self, task: task_lib.Task) -> None:
        """Needs class indices that the scores have."""
        _check_classifier(self, task)

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns the predictions."""
        return {"predictions": batch.output.argmax(axis=-1).astype(np.int64)}

    def successes(self, statistics: base.Statistics) -> np.ndarray:
        """Returns where predictions are the labels."""
        return statistics["predictions"] == statistics["labels"]


class Top5(proportion.Proportion):
    """Share of examples whose label is among the five highest scores.

    Keeps `in_top5`, bool. Ties go to the lower class.
    """

    name = "top5"

    def check(self, task: task_lib.Task) -> None:
        """Needs class indices that the scores have."""
        _check_classifier(self, task)

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns whether the label is among the best."""
        best = np.argsort(-batch.output, axis=-1, kind="stable")[:, :_K]
        return {"in_top5": (best == batch.truth[:, None]).any(axis=-1)}

    def successes(self, statistics: base.Statistics) -> np.ndarray:
        """Returns what was kept."""
        return statistics["in_top5"]


def _check_classifier(metric: base.Metric, task: task_lib.Task) -> None:
    metric.require(
        task.num_columns > 1,
        "a first output of shape (n, classes)",
        task,
        errors.ModelError,
    )
    metric.require(task.has_class_indices, "class indices as labels", task)
    low, high = int(np.min(task.labels)), int(np.max(task.labels))
    if low < 0 or high >= task.num_columns:
        raise errors.DataError(
            "Labels must be in [0, classes of the model). Received: "
            f"labels from {low} to {high}, classes={task.num_columns}. Use "
            "the data set it was trained on."
        )
