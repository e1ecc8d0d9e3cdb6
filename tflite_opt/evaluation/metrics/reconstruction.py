# SPDX-License-Identifier: Apache-2.0
"""How well an autoencoder gives back its input, and what that tells apart.

Inputs are looked at batch by batch; only one number of each example is kept.
"""

import numpy as np

from tflite_opt.evaluation.metrics import auc, base, resampled
from tflite_opt.evaluation.metrics import task as task_lib
from tflite_opt.records import errors

_KEY = "reconstruction_error"


class Reconstruction(auc.RankAuc):
    """Anomaly detection: AUC of the reconstruction error.

    An anomaly, label 1, should be given back worse than a normal example,
    label 0. Where the labels are not 0 and 1, the reconstruction error itself
    is what counts. Keeps `reconstruction_error`, float64.
    """

    name = "reconstruction"
    key = _KEY

    @classmethod
    def is_natural(cls, task: task_lib.Task) -> bool:
        """Class indices, and an output that stands for the input."""
        return task.has_class_indices and task.is_reconstruction

    def select(self, task: task_lib.Task) -> tuple[base.Metric, ...]:
        """Returns the AUC where labels allow it, and the error."""
        error = ReconstructionError()
        return (self, error) if task.is_binary else (error,)

    def check(self, task: task_lib.Task) -> None:
        """Needs an output shaped like the input, and both classes."""
        _check_shapes(self, task)
        super().check(task)

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns the error of each example."""
        return _errors(batch)


class ReconstructionError(resampled.Mean):
    """Mean over examples of the mean squared error of an example.

    Keeps `reconstruction_error`, float64.
    """

    name = "reconstruction_error"
    higher_is_better = False
    is_fraction = False
    key = _KEY

    def check(self, task: task_lib.Task) -> None:
        """Needs an output shaped like the input."""
        _check_shapes(self, task)

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns the error of each example."""
        return _errors(batch)


def _check_shapes(metric: base.Metric, task: task_lib.Task) -> None:
    metric.require(
        task.output_shape == task.input_shape,
        "a first output shaped like the first input",
        task,
        errors.ModelError,
    )


def _errors(batch: task_lib.Batch) -> dict[str, np.ndarray]:
    wanted = next(iter(batch.inputs.values()))
    differences = batch.output.astype(np.float64) - wanted
    squares = np.square(differences).reshape(len(differences), -1)
    found = squares.mean(axis=1)
    if not np.isfinite(found).all():
        raise errors.ModelError(
            "A reconstruction must be finite. "
            "Received: NaN or infinity in the first output."
        )
    return {_KEY: found}
