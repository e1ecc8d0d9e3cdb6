# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.data import fake_cache
from tflite_opt.data import dataset, sources


def load(source, **fields):
    return sources.load(dataset.DataSpec(source=source, **fields))


def test_images_are_scaled_and_the_official_test_set_is_kept(tmp_path):
    fake_cache.write_fashion_mnist(tmp_path)
    data = load("fashion_mnist", data_cache=str(tmp_path), num_calibration=30)
    sizes = {name: len(split) for name, split in data.splits.items()}
    assert sizes == {
        "train": 180,
        "calibration": 30,
        "validation": 20,
        "test": 50,
    }
    assert data.input_shape == (28, 28, 1)
    test = data["test"]
    assert test.ids.tolist() == list(range(200, 250))
    assert test.inputs["image"].dtype == np.float32
    np.testing.assert_array_equal(
        test.inputs["image"][:, 0, 0, 0], np.arange(50, dtype=np.float32) / 255
    )
    train = data["train"]
    np.testing.assert_array_equal(
        train.inputs["image"][:, 0, 0, 0], train.ids.astype(np.float32) / 255
    )


@pytest.mark.parametrize(
    ("name", "shape"), [("mnist", (28, 28, 1)), ("cifar10", (32, 32, 3))]
)
def test_other_image_sets(tmp_path, monkeypatch, name, shape):
    path = getattr(fake_cache, f"write_{name}")(tmp_path)
    fake_cache.expect(monkeypatch, tmp_path, path)
    data = load(name, data_cache=str(tmp_path), limit=20)
    assert data.input_shape == shape
    assert {len(split) for split in data.splits.values()} == {20}
    assert data.name == name
