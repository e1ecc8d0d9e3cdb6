# SPDX-License-Identifier: Apache-2.0
import numpy as np

from tflite_opt.data import dataset, sources


def load(**fields):
    return sources.load(dataset.DataSpec(source="digits", **fields))


def test_digits():
    data = load()
    sizes = {name: len(split) for name, split in data.splits.items()}
    assert sizes == {
        "train": 1078,
        "calibration": 200,
        "validation": 270,
        "test": 449,
    }
    assert data.num_classes == 10
    assert data.input_shape == (8, 8, 1)
    for split in data.splits.values():
        images = split.inputs["image"]
        assert images.dtype == np.float32
        assert (images.min(), images.max()) == (0, 1)
        assert set(split.labels) == set(range(10))


def test_digits_of_the_same_seed_are_the_same_and_of_another_are_not():
    first, again, other = (load(seed=seed) for seed in (0, 0, 1))
    for name in dataset.SPLIT_NAMES:
        assert first[name].fingerprint() == again[name].fingerprint()
        assert first[name].fingerprint() != other[name].fingerprint()
