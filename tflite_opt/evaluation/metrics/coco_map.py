# SPDX-License-Identifier: Apache-2.0
"""COCO's mean average precision of detections, through pycocotools."""

import contextlib
import io
from typing import Any

import numpy as np

from tflite_opt import optional_package
from tflite_opt.evaluation.metrics import base, resampled
from tflite_opt.evaluation.metrics import task as task_lib
from tflite_opt.records import errors

_NUM_OUTPUTS = 4
_NO_OBJECT = -1


class CocoMap(resampled.Resampled):
    """Mean average precision over IoU 0.50 to 0.95.

    The outputs are those of TFLite's detection postprocessing, in its order:
    boxes `(n, k, 4)` as ymin, xmin, ymax, xmax; classes `(n, k)`; scores
    `(n, k)`; number of detections `(n,)`. Labels are boxes with their class,
    `(n, objects, 5)`, in the same unit, filled up with rows of class -1.

    Keeps `detections`, shape `(n, k, 6)`, float64: box, class and score, the
    class -1 beyond the number of detections; and `objects`, the labels.

    References:
        Lin et al., "Microsoft COCO: Common Objects in Context", 2014.
        https://cocodataset.org/#detection-eval
    """

    name = "coco_map"
    higher_is_better = True
    is_fraction = True

    @classmethod
    def create(cls, argument: str) -> base.Metric:
        """Needs pycocotools."""
        optional_package.require("pycocotools", f"The metric {cls.name}")
        return super().create(argument)

    def check(self, task: task_lib.Task) -> None:
        """Needs postprocessed detections, and objects."""
        self.require(
            task.labels is not None
            and task.labels.ndim == 3
            and task.labels.shape[2] == 5,
            "labels (n, objects, 5): ymin, xmin, ymax, xmax, class",
            task,
        )
        shapes = list(task.output_shapes.values())
        fits = len(shapes) == _NUM_OUTPUTS and (
            shapes[0][1:] == (4,)
            and shapes[1] == shapes[2] == shapes[0][:1]
            and shapes[3] in ((), (1,))
        )
        self.require(
            fits,
            "the outputs boxes (n, k, 4), classes (n, k), scores (n, k) and "
            "number of detections (n,), in this order",
            task,
            errors.ModelError,
        )

    def statistics(self, batch: task_lib.Batch) -> dict[str, np.ndarray]:
        """Returns detections and objects."""
        boxes, classes, scores, count = batch.outputs.values()
        places = np.arange(boxes.shape[1])
        classes = np.where(
            places < count.reshape(-1, 1), np.rint(classes), _NO_OBJECT
        )
        columns = (boxes, classes[..., None], scores[..., None])
        return {
            "detections": np.concatenate(columns, axis=2, dtype=np.float64),
            "objects": batch.truth,
        }

    def values(
        self, statistics: base.Statistics, counts: np.ndarray
    ) -> np.ndarray:
        """Matches once, then averages over resamples of the images."""
        with contextlib.redirect_stdout(io.StringIO()):
            matched = _match(statistics["detections"], statistics["objects"])
            # One row for each category.
            images = np.array(matched.evalImgs, object)
            images = images.reshape(-1, counts.shape[1])
            return np.array([_precision(matched, images, c) for c in counts])

    def num_resamples(self, statistics: base.Statistics) -> int:
        """Returns fewer: each sorts all detections again."""
        del statistics
        return 200


def _match(detections: np.ndarray, objects: np.ndarray) -> Any:
    """Returns the evaluation of each image, before any average."""
    from pycocotools import coco, cocoeval

    truth, found = coco.COCO(), coco.COCO()
    images = [{"id": i} for i in range(len(objects))]
    classes = np.unique(objects[..., 4][objects[..., 4] != _NO_OBJECT])
    categories = [{"id": int(number)} for number in classes]
    for target, rows in ((truth, objects), (found, detections)):
        target.dataset = {
            "images": images,
            "categories": categories,
            "annotations": _annotations(rows),
        }
        target.createIndex()
    matched = cocoeval.COCOeval(truth, found, "bbox")
    matched.params.areaRng = matched.params.areaRng[:1]
    matched.params.areaRngLbl = matched.params.areaRngLbl[:1]
    matched.params.maxDets = matched.params.maxDets[-1:]
    matched.evaluate()
    return matched


def _annotations(rows: np.ndarray) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for image, place in np.argwhere(rows[..., 4] != _NO_OBJECT):
        top, left, bottom, right, number = rows[image, place, :5].tolist()
        height, width = bottom - top, right - left
        found.append(
            {
                "id": len(found) + 1,
                "image_id": int(image),
                "category_id": int(number),
                "bbox": [left, top, width, height],
                "area": width * height,
                "iscrowd": 0,
                "score": float(rows[image, place, -1]),
            }
        )
    return found


def _precision(matched: Any, images: np.ndarray, counts: np.ndarray) -> float:
    """Returns the mean average precision of a resample of the images."""
    chosen = np.repeat(np.arange(len(counts)), counts.astype(np.int64))
    matched.evalImgs = images[:, chosen].reshape(-1).tolist()
    matched.accumulate()
    precision = matched.eval["precision"]
    known = precision[precision > -1]
    return float(known.mean()) if known.size else float("nan")
