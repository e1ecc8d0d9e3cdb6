# SPDX-License-Identifier: Apache-2.0
"""A metric of the user's: `python:package.module:function`.

The function gets the outputs by name, shape `(n, ...)`, and the labels or
None, and returns one float, or one float for each example, whose mean is the
metric. Attributes of the function say `higher_is_better` (True if missing)
and `is_fraction` (False if missing).
"""

import numpy as np

from tflite_opt import user_code
from tflite_opt.data import dataset
from tflite_opt.evaluation.metrics import base, resampled
from tflite_opt.evaluation.metrics import task as task_lib
from tflite_opt.records import errors

_OUTPUT = "output/"
_PER_EXAMPLE = "user_values"
# Integers with fewer examples each are counts or other values, no classes.
_MIN_PER_CLASS = 5


class PythonFunction(resampled.Resampled):
    """The user's function.

    Keeps `user_values`, float64, if it returns one float for each example;
    else all outputs as `output/<name>`, and the labels, and the function is
    called again on every resample.
    """

    name = "python"

    def __init__(self, reference: str) -> None:
        self._function = user_code.function(reference)
        self._reference = reference
        self.name = f"python:{reference}"
        self.higher_is_better = bool(
            getattr(self._function, "higher_is_better", True)
        )
        self.is_fraction = bool(getattr(self._function, "is_fraction", False))

    @classmethod
    def create(cls, argument: str) -> "PythonFunction":
        """Imports the function that the argument names."""
        return cls(argument)

    def check(self, task: task_lib.Task) -> None:
        """Fits whatever the user says it fits."""

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns the outputs and labels."""
        kept = {_OUTPUT + name: x for name, x in batch.outputs.items()}
        if batch.labels is not None:
            kept["labels"] = batch.labels
        return kept

    def complete(self, statistics: base.Statistics) -> base.Statistics:
        """Calls the function; keeps its values instead of the outputs."""
        found = self._call(statistics, None)
        if not found.ndim:
            return statistics
        return {_PER_EXAMPLE: found}

    def values(
        self, statistics: base.Statistics, counts: np.ndarray
    ) -> np.ndarray:
        """Returns means, or what the function says on resamples."""
        if _PER_EXAMPLE in statistics:
            return counts @ statistics[_PER_EXAMPLE] / counts.sum(axis=1)
        positions = np.arange(counts.shape[1])
        return np.array(
            [
                float(self._call(statistics, np.repeat(positions, row)))
                for row in counts.astype(np.int64)
            ]
        )

    def strata(self, statistics: base.Statistics) -> np.ndarray:
        """Returns the classes, so that no resample lacks one."""
        labels = statistics.get("labels")
        if (
            labels is None
            or not dataset.are_class_indices(labels)
            or len(np.unique(labels)) * _MIN_PER_CLASS > len(labels)
        ):
            return super().strata(statistics)
        return labels

    def num_resamples(self, statistics: base.Statistics) -> int:
        """Returns fewer when each costs a call."""
        return 2000 if _PER_EXAMPLE in statistics else 200

    def _call(
        self, statistics: base.Statistics, chosen: np.ndarray | None
    ) -> np.ndarray:
        """Returns a float or one for each example, as an array."""
        take = slice(None) if chosen is None else chosen
        outputs = {
            key.removeprefix(_OUTPUT): array[take]
            for key, array in statistics.items()
            if key.startswith(_OUTPUT)
        }
        labels = statistics.get("labels")
        size = len(next(iter(outputs.values())))
        result = user_code.guard(
            self._reference,
            self._function,
            outputs,
            None if labels is None else labels[take],
        )
        try:
            found = np.asarray(result, np.float64)
        except (TypeError, ValueError) as error:
            raise self._refuse(repr(result), size) from error
        if not found.ndim and not np.isfinite(found):
            raise self._refuse(repr(result), size)
        if found.shape not in ((), (size,)):
            raise self._refuse(f"shape={found.shape}", size)
        if not np.isfinite(found).all():
            raise self._refuse("NaN or infinity among them", size)
        return found

    def _refuse(self, received: str, size: int) -> errors.InputError:
        return errors.InputError(
            f"{self._reference} must return a finite float, or one for each "
            f"of {size} examples. Received: {received}."
        )
