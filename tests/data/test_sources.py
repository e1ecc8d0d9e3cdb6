# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import sys

import numpy as np
import pytest

from tests.data import fake_cache
from tflite_opt.data import dataset, sources
from tflite_opt.records import errors


def load(source, **fields):
    return sources.load(dataset.DataSpec(source=source, **fields))


def test_digits():
    data = load("digits")
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
    first, again, other = (load("digits", seed=seed) for seed in (0, 0, 1))
    for name in dataset.SPLIT_NAMES:
        assert first[name].fingerprint() == again[name].fingerprint()
        assert first[name].fingerprint() != other[name].fingerprint()


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


def test_npz_is_split_like_a_set_with_an_official_test_set(tmp_path):
    x = np.arange(100, dtype=np.float64)[:, np.newaxis]
    y = np.arange(100) % 4
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    data = load(f"npz:{tmp_path}/d.npz", num_calibration=90)
    assert data.name == "npz:d.npz"
    assert data.num_classes == 4
    sizes = {name: len(split) for name, split in data.splits.items()}
    assert sizes == {
        "train": 90,
        "calibration": 90,
        "validation": 10,
        "test": 100,
    }
    assert data["test"].ids.tolist() == list(range(100, 200))
    np.testing.assert_array_equal(data["test"].inputs["x"], x)
    assert data["train"].inputs["x"].dtype == np.float32


def test_npz_keeps_its_own_validation_part(tmp_path):
    x, y = np.ones((20, 2), np.float32), np.arange(20) % 2
    np.savez(
        tmp_path / "d.npz",
        **{
            f"{a}_{p}": v
            for a, v in (("x", x), ("y", y))
            for p in ("train", "validation", "test")
        },
    )
    data = load(f"npz:{tmp_path}/d.npz", num_calibration=5)
    assert data["validation"].ids.tolist() == list(range(20, 40))
    assert sorted(data["train"].ids) == list(range(20))


def test_unknown_source_names_the_known_ones():
    with pytest.raises(
        errors.DataError,
        match=re.escape(
            "`source` must be one of digits, mnist, fashion_mnist, cifar10, "
            "sensor, tokens, graphs, vibration, or npz:FILE. "
            "Received: source='imagenet'"
        ),
    ):
        load("imagenet")


def test_rejects_a_negative_seed():
    with pytest.raises(errors.InputError, match="seed=-1"):
        load("digits", seed=-1)


def test_reading_a_cache_imports_neither_tensorflow_nor_sklearn(tmp_path):
    fake_cache.write_fashion_mnist(tmp_path)
    program = (
        "import sys\n"
        "from tflite_opt.data import dataset, representative, sources\n"
        "sources.load(dataset.DataSpec(source='fashion_mnist', "
        f"data_cache={str(tmp_path)!r}, limit=20))\n"
        "heavy = {'tensorflow', 'tf_keras', 'sklearn', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
