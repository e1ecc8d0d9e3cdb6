# SPDX-License-Identifier: Apache-2.0
"""Area under the ROC curve of scores for two classes."""

import numpy as np

from tflite_opt.evaluation.metrics import base, resampled
from tflite_opt.evaluation.metrics import task as task_lib
from tflite_opt.records import errors


class RankAuc(resampled.Resampled):
    """The AUC of one score for each example against labels 0 and 1.

    It is the probability that an example of class 1 scores higher than one of
    class 0; a tie counts half. Resamples keep the size of both classes.

    Attributes:
        key: Name of the scores among the statistics.

    References:
        Hanley and McNeil, "The meaning and use of the area under a receiver
        operating characteristic (ROC) curve", Radiology 143, 1982.
    """

    higher_is_better = True
    is_fraction = True
    key: str

    def check(self, task: task_lib.Task) -> None:
        """Needs labels 0 and 1, and both of them."""
        self.require(
            task.is_binary and len(np.unique(task.labels)) == 2,
            "labels of which each is 0 or 1, and both occur",
            task,
        )

    def values(
        self, statistics: base.Statistics, counts: np.ndarray
    ) -> np.ndarray:
        """Returns the rank statistic on resamples."""
        order = np.argsort(statistics[self.key], kind="stable")
        positive = statistics["labels"][order] == 1
        # One column for each different score, ascending.
        _, starts = np.unique(statistics[self.key][order], return_index=True)
        counts = counts[:, order]
        high = np.add.reduceat(counts * positive, starts, axis=1)
        low = np.add.reduceat(counts * ~positive, starts, axis=1)
        below = np.cumsum(low, axis=1) - low / 2
        return (high * below).sum(axis=1) / (high.sum(axis=1) * low.sum(axis=1))

    def strata(self, statistics: base.Statistics) -> np.ndarray:
        """Returns the classes."""
        return statistics["labels"]


class Auc(RankAuc):
    """AUC of a binary classifier.

    Keeps `score`, float64: the only column, or of two columns the second less
    the first.
    """

    name = "auc"
    key = "score"

    @classmethod
    def is_natural(cls, task: task_lib.Task) -> bool:
        """Labels 0 and 1, and one score."""
        return task.is_binary and task.num_columns == 1

    def check(self, task: task_lib.Task) -> None:
        """Needs one or two columns and both classes."""
        self.require(
            task.num_columns in (1, 2),
            "a first output with one score, or one for each of two classes",
            task,
            errors.ModelError,
        )
        super().check(task)

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns the scores."""
        columns = batch.output.reshape(len(batch.output), -1)
        columns = columns.astype(np.float64)
        score = columns[:, -1]
        if columns.shape[1] == 2:
            score = score - columns[:, 0]
        if np.isnan(score).any():
            raise errors.ModelError(
                "The metric auc needs scores that can be ordered. "
                "Received: NaN in the first output."
            )
        return {"score": score}
