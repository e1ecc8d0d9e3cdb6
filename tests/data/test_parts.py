# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tflite_opt.data import dataset, parts
from tflite_opt.records import errors


def part(count, labels=None, **inputs):
    inputs = inputs or {"x": np.arange(count, dtype=np.float32)[:, np.newaxis]}
    if labels is not None:
        labels = np.resize(np.array(labels), count)
    return parts.Part(inputs=inputs, labels=labels)


def split(class_names=(), num_calibration=2, **given):
    source = parts.Source(
        name="d", where="'d'", parts=given, class_names=class_names
    )
    return parts.to_dataset(
        source, dataset.DataSpec(source="d", num_calibration=num_calibration)
    )


def sizes(data):
    return [len(data[name]) for name in ("train", "validation", "test")]


@pytest.mark.parametrize("labels", [None, [0, 1], [0.5, 1.5]])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"train": 40}, [24, 6, 10]),
        ({"train": 40, "test": 20}, [36, 4, 20]),
        ({"train": 40, "validation": 20}, [40, 10, 10]),
        ({"train": 40, "validation": 5, "test": 20}, [40, 5, 20]),
    ],
    ids=["pool", "test", "validation", "both"],
)
def test_every_example_goes_into_one_split(labels, given, expected):
    data = split(**{name: part(n, labels) for name, n in given.items()})
    assert sizes(data) == expected
    ids = [data[name].ids for name in ("train", "validation", "test")]
    assert sorted(np.concatenate(ids)) == list(range(sum(given.values())))
    values = np.concatenate([np.arange(n) for n in given.values()])
    for found in data.splits.values():
        np.testing.assert_array_equal(
            found.inputs["x"][:, 0], values[found.ids]
        )
        if labels is None:
            assert found.labels is None
        else:
            np.testing.assert_array_equal(
                found.labels, np.resize(labels, 40)[values[found.ids]]
            )


def test_held_out_examples_are_halved_by_class():
    data = split(train=part(40, [0, 1]), validation=part(20, [0, 0, 0, 1]))
    for name in ("validation", "test"):
        assert np.bincount(data[name].labels).tolist() in ([7, 3], [8, 2])


def test_anomalies_are_held_out_only():
    data = split(train=part(40, [0]), test=part(20, [0, 1]))
    assert data.num_classes == 2
    assert set(data["train"].labels) == {0}
    assert len(data["train"]) == 40
    for name in ("validation", "test"):
        assert np.bincount(data[name].labels).tolist() == [5, 5]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (None, None),
        (np.linspace(0, 1, 8, dtype=np.float32), None),
        (np.arange(8) % 3, 3),
        (np.arange(8 * 4).reshape(8, 2, 2) % 5, 5),
    ],
    ids=["unlabelled", "values", "class indices", "class maps"],
)
def test_number_of_classes(labels, expected):
    given = parts.Part(inputs={"x": np.ones((8, 1))}, labels=labels)
    data = split(train=given)
    assert data.num_classes == expected


def test_class_names_count_classes_that_have_no_examples():
    data = split(class_names=("a", "b", "c"), train=part(8, [0, 1]))
    assert data.num_classes == 3
    assert data.class_names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"train": part(8, [0, 1]), "test": part(4, [0, 3])},
            "Labels of the test part must be in [0, 2), the classes of the "
            "train part. Received: label 3 at position 1 (2 in all) in 'd'",
        ),
        (
            {"train": part(8, [0, -1, 2])},
            "Received: label -1 at position 1 (3 in all)",
        ),
        (
            {
                "train": parts.Part(
                    inputs={"x": np.ones((8, 1))},
                    labels=np.array([[[0, 1], [-1, 1]]] * 8),
                )
            },
            "Received: label -1 at position 0 (8 in all)",
        ),
        (
            {"train": part(8, [0]), "test": part(4, [0])},
            "Labels must be of at least two classes. Received: only class 0",
        ),
        (
            {"train": part(8, [0, 1]), "test": part(4)},
            "missing in all. Received: train: class indices, test: no labels",
        ),
        (
            {"train": part(8, [0, 1]), "test": part(4, [0.5])},
            "Received: train: class indices, test: values of shape ()",
        ),
        (
            {"train": part(8), "test": part(4, y=np.ones((4, 1)))},
            "same inputs, shapes and dtypes in every part. Received: train: "
            "{'x': ((1,), 'float32')}, test: {'y': ((1,), 'float64')} in 'd'",
        ),
        (
            {"train": part(8, a=np.ones((8, 1)), b=np.ones((7, 1)))},
            "All arrays of the train part must have the same number of "
            "examples, at least 4. Received: {'a': 8, 'b': 7} in 'd'",
        ),
        (
            {"train": part(3)},
            "at least 4. Received: {'x': 3}",
        ),
        (
            {"train": part(8), "test": part(0)},
            "at least 2. Received: {'x': 0}",
        ),
    ],
)
def test_rejects(given, message):
    with pytest.raises(errors.DataError, match=re.escape(message)):
        split(**given)
