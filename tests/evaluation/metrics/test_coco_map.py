# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

from tflite_opt.evaluation.metrics import base
from tflite_opt.evaluation.metrics import task as task_lib
from tflite_opt.records import errors

pytest.importorskip("pycocotools")

_NO_OBJECT = [0, 0, 0, 0, -1]


def _data():
    """Returns outputs and labels of 12 images with up to two objects."""
    random = np.random.default_rng(0)
    corners = random.uniform(0, 0.4, (12, 2, 2))
    boxes = np.concatenate([corners, corners + 0.3], axis=2)
    classes = random.integers(3, size=(12, 2))
    labels = np.concatenate([boxes, classes[..., None]], axis=2)
    labels[::3, 1] = _NO_OBJECT
    labels[5] = _NO_OBJECT
    outputs = {
        "boxes": boxes + random.normal(0, 0.02, boxes.shape),
        "classes": np.where(random.random((12, 2)) < 0.8, classes, 0.0),
        "scores": random.uniform(size=(12, 2)),
        "count": random.integers(1, 3, size=12).astype(np.float32),
    }
    return outputs, labels.astype(np.float32)


def _kept(metric, outputs, labels):
    return metric.statistics(
        task_lib.Batch(
            inputs={}, outputs=outputs, labels=labels, originals=None
        )
    )


def _by_files(outputs, labels, folder):
    """Returns the mean average precision of pycocotools' own way."""
    from pycocotools import coco, cocoeval

    def box(corners):
        top, left, bottom, right = map(float, corners)
        return [left, top, right - left, bottom - top]

    truth, found = [], []
    for image, rows in enumerate(labels):
        for row in rows[rows[:, 4] >= 0]:
            truth.append({"image_id": image, "bbox": box(row[:4])})
            truth[-1] |= {"category_id": int(row[4]), "iscrowd": 0}
            truth[-1] |= {"id": len(truth), "area": 0.09}
        for place in range(int(outputs["count"][image])):
            found.append({"image_id": image, "bbox": []})
            found[-1]["bbox"] = box(outputs["boxes"][image, place])
            found[-1]["category_id"] = int(outputs["classes"][image, place])
            found[-1]["score"] = float(outputs["scores"][image, place])
    path = folder / "truth.json"
    content = {
        "info": {},
        "images": [{"id": i} for i in range(len(labels))],
        "categories": [{"id": i} for i in range(3)],
        "annotations": truth,
    }
    path.write_text(json.dumps(content))
    loaded = coco.COCO(str(path))
    evaluated = cocoeval.COCOeval(loaded, loaded.loadRes(found), "bbox")
    evaluated.evaluate()
    evaluated.accumulate()
    evaluated.summarize()
    return evaluated.stats[0]


def test_it_is_what_pycocotools_says_of_files(tmp_path):
    outputs, labels = _data()
    metric = base.named("coco_map")
    found = metric.measure(_kept(metric, outputs, labels))
    assert found.value == pytest.approx(_by_files(outputs, labels, tmp_path))
    assert found.low < found.value < found.high


def test_an_image_that_counts_twice_is_there_twice(tmp_path):
    outputs, labels = _data()
    metric = base.named("coco_map")
    chosen = np.array([0, 0, 2, 3, 4, 5, 6, 7, 8, 8, 10, 11])
    counts = np.bincount(chosen, minlength=12)[None].astype(float)
    found = metric.values(_kept(metric, outputs, labels), counts)
    expected = _by_files(
        {name: array[chosen] for name, array in outputs.items()},
        labels[chosen],
        tmp_path,
    )
    assert found == pytest.approx([expected])


def test_perfect_detections_are_worth_one():
    outputs, labels = _data()
    outputs |= {"boxes": labels[..., :4], "classes": labels[..., 4]}
    outputs["count"] = (labels[..., 4] >= 0).sum(axis=1)
    metric = base.named("coco_map")
    assert metric.measure(_kept(metric, outputs, labels)).value == 1


@pytest.mark.parametrize(
    ("changed", "labels", "message"),
    [
        ({}, np.zeros(12), "labels (n, objects, 5)"),
        ({"count": ()}, None, "labels (n, objects, 5)"),
        ({"boxes": (2, 5)}, np.zeros((12, 2, 5)), "boxes (n, k, 4)"),
        ({"scores": (3,)}, np.zeros((12, 2, 5)), "boxes (n, k, 4)"),
    ],
    ids=["indices", "none", "boxes", "scores"],
)
def test_refuses_what_are_no_detections(changed, labels, message):
    shapes = {"boxes": (2, 4), "classes": (2,), "scores": (2,), "count": (1,)}
    task = task_lib.Task(
        model="int8",
        input_shapes={"x": (8, 8, 3)},
        output_shapes=shapes | changed,
        labels=labels,
        originals=None,
    )
    with pytest.raises(errors.InputError) as caught:
        base.choose("coco_map", task)
    assert message in str(caught.value)
