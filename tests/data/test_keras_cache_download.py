# SPDX-License-Identifier: Apache-2.0
"""What Keras' own loaders do, with the network replaced."""

import pathlib
import shutil
import urllib.error

import pytest

from tests.data import fake_cache
from tflite_opt.data import keras_cache
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def replace_network(monkeypatch):
    from tf_keras.src.utils import data_utils

    def replace(retrieve):
        monkeypatch.setattr(data_utils, "urlretrieve", retrieve)

    return replace


def test_keras_puts_fashion_mnist_where_it_is_read(tmp_path, replace_network):
    served = tmp_path / "served"
    fake_cache.write_fashion_mnist(served)

    def retrieve(url, path, progress):
        name = url.rsplit("/", 1)[1]
        shutil.copy(served / fake_cache.FASHION_MNIST / name, path)

    replace_network(retrieve)
    cache = tmp_path / "cache"
    raw = keras_cache.load("fashion_mnist", str(cache))
    assert raw.train_images.shape == (200, 28, 28, 1)
    assert sorted(path.name for path in cache.iterdir()) == ["datasets"]


@pytest.mark.parametrize("name", keras_cache.NAMES)
def test_no_network_is_one_error(tmp_path, replace_network, name):
    def retrieve(url, path, progress):
        pathlib.Path(path).write_bytes(b"half")
        raise urllib.error.URLError("Name or service not known")

    replace_network(retrieve)
    with pytest.raises(errors.DataError, match="Name or service not known"):
        keras_cache.load(name, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_a_wrong_download_is_refused_and_leaves_nothing(
    tmp_path, replace_network, name
):
    replace_network(lambda url, path, _: pathlib.Path(path).write_bytes(b"x"))
    with pytest.raises(errors.DataError, match="Incomplete or corrupted"):
        keras_cache.load(name, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_expected_hashes_are_those_of_keras():
    import inspect

    import tf_keras as keras

    for file, sha256 in keras_cache._SHA256.items():
        name = "mnist" if "mnist" in file else "cifar10"
        source = inspect.getsource(getattr(keras.datasets, name).load_data)
        assert sha256 in source
