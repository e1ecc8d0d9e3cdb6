# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.data import dataset, generated, sources


def load(name, **fields):
    return sources.load(dataset.DataSpec(source=name, **fields))


@pytest.mark.parametrize(
    ("name", "shapes", "num_classes"),
    [
        ("sensor", {"sequence": (64, 3)}, 6),
        ("tokens", {"tokens": (16,)}, 4),
        ("graphs", {"features": (16, 4), "adjacency": (16, 16)}, 5),
        ("vibration", {"spectrum": (64,)}, 2),
    ],
)
def test_shapes_and_classes(name, shapes, num_classes):
    data = load(name)
    assert data.name == name
    assert data.input_shapes == shapes
    assert data.num_classes == len(data.class_names) == num_classes
    dtype = np.int32 if name == "tokens" else np.float32
    for split in data.splits.values():
        assert {x.dtype for x in split.inputs.values()} == {np.dtype(dtype)}
        assert split.labels.dtype == np.int64
    for split in ("validation", "test"):
        assert set(data[split].labels) == set(range(num_classes))


@pytest.mark.parametrize("name", generated.NAMES)
def test_no_example_is_in_two_splits(name):
    data = load(name)
    splits = [data[split] for split in ("train", "validation", "test")]
    ids = np.concatenate([split.ids for split in splits])
    assert len(set(ids)) == len(ids)
    rows = [
        row.tobytes()
        for split in splits
        for row in np.concatenate(
            [x.reshape(len(split), -1) for x in split.inputs.values()], axis=1
        )
    ]
    assert len(set(rows)) == len(rows)


def test_only_normal_vibrations_are_trained_on():
    data = load("vibration")
    assert data.class_names == ("normal", "anomaly")
    assert set(data["train"].labels) == set(data["calibration"].labels) == {0}
    assert np.mean(data["test"].labels) == pytest.approx(0.25, abs=0.01)
