# SPDX-License-Identifier: Apache-2.0
"""Mean intersection over union of segmentations."""

import numpy as np

from tflite_opt.evaluation.metrics import base, resampled
from tflite_opt.evaluation.metrics import task as task_lib
from tflite_opt.records import errors

# What VOC and Cityscapes write where nobody knows the class.
_VOID = 255


class MeanIou(resampled.Resampled):
    """Intersection over union, pooled over examples, mean over classes.

    Classes that occur neither in labels nor in predictions do not count.
    Pixels labelled 255 are left out unless there are that many classes. Keeps
    `intersections` and `unions`, shape `(n, classes)`, int64, in pixels.

    References:
        Everingham et al., "The Pascal Visual Object Classes Challenge: A
        Retrospective", 2015, section 4.3.
    """

    name = "mean_iou"
    higher_is_better = True
    is_fraction = True

    @classmethod
    def is_natural(cls, task: task_lib.Task) -> bool:
        """Labels that are class maps."""
        return task.has_class_maps

    def check(self, task: task_lib.Task) -> None:
        """Needs class maps, and scores of the same size for each class."""
        self.require(
            task.labels is not None and task.has_class_maps,
            "class maps (n, h, w) as labels",
            task,
        )
        labels = np.asarray(task.labels)
        self.require(
            task.has_class_scores and task.output_shape[:2] == labels.shape[1:],
            "a first output of shape (n, h, w, classes) in the size of the "
            "labels",
            task,
            errors.ModelError,
        )
        num_classes = task.output_shape[-1]
        unknown = (labels < 0) | (labels >= num_classes) & (labels != _VOID)
        if unknown.any():
            raise errors.DataError(
                "Labels must be in [0, classes of the model), or 255 for "
                f"void. Received: {int(labels[unknown][0])}, "
                f"classes={num_classes}."
            )

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns intersections and unions of each class."""
        size, num_classes = len(batch.output), batch.output.shape[-1]
        found = batch.output.argmax(axis=-1).reshape(size, -1)
        wanted = batch.truth.reshape(size, -1)
        known = wanted < num_classes
        # One range of classes for each example.
        offsets = num_classes * np.arange(size)[:, None]

        def count(classes: np.ndarray, where: np.ndarray) -> np.ndarray:
            flat = (classes + offsets)[where]
            counts = np.bincount(flat, minlength=size * num_classes)
            return counts.reshape(size, num_classes)

        both = count(wanted, known & (found == wanted))
        either = count(wanted, known) + count(found, known) - both
        return {"intersections": both, "unions": either}

    def values(
        self, statistics: base.Statistics, counts: np.ndarray
    ) -> np.ndarray:
        """Returns the mean over the classes that occur."""
        both = counts @ statistics["intersections"]
        either = counts @ statistics["unions"]
        ratios = both / np.maximum(either, 1)
        occurring = (either > 0).sum(axis=1)
        with np.errstate(invalid="ignore"):
            return ratios.sum(axis=1) / occurring
