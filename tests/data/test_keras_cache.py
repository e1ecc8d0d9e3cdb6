# SPDX-License-Identifier: Apache-2.0
import pathlib
import re
import sys
import types

import pytest

from tests.data import fake_cache
from tflite_opt.data import keras_cache
from tflite_opt.records import errors


@pytest.fixture(autouse=True)
def without_downloads(monkeypatch):
    """Fails a test that would download by accident."""
    keras = types.SimpleNamespace(
        datasets=types.SimpleNamespace(
            **{name: Download() for name in keras_cache.NAMES}
        )
    )
    monkeypatch.setitem(sys.modules, "tf_keras", keras)
    return keras.datasets


class Download:
    """Stands for one of Keras' loaders."""

    def __init__(self):
        self.write = None

    def load_data(self, cache_dir):
        sys.stdout.write("Downloading data from somewhere")
        if self.write is None:
            # What Keras raises when a download fails.
            raise Exception("URL fetch failure on https://x: None -- refused")
        self.write(pathlib.Path(cache_dir))


def listing(directory):
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_directory_is_the_choice_else_keras_home_else_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("KERAS_HOME", raising=False)
    assert keras_cache.directory(None) == pathlib.Path("/home/someone/.keras")
    monkeypatch.setenv("KERAS_HOME", "/data/keras")
    assert keras_cache.directory(None) == pathlib.Path("/data/keras")
    assert keras_cache.directory("~/c") == pathlib.Path("/home/someone/c")


def test_reads_fashion_mnist(tmp_path):
    fake_cache.write_fashion_mnist(tmp_path)
    before = listing(tmp_path)
    raw = keras_cache.load("fashion_mnist", str(tmp_path))
    assert raw.train_images.shape == (200, 28, 28, 1)
    assert raw.test_images.shape == (50, 28, 28, 1)
    assert raw.train_images[7, 3, 4, 0] == 7
    assert raw.test_labels[13] == 3
    assert listing(tmp_path) == before


def test_reads_mnist(tmp_path, monkeypatch):
    path = fake_cache.write_mnist(tmp_path)
    fake_cache.expect(monkeypatch, tmp_path, path)
    raw = keras_cache.load("mnist", str(tmp_path))
    assert raw.train_images.shape == (200, 28, 28, 1)
    assert raw.test_labels[13] == 3


def test_reads_cifar10_in_the_order_of_its_batches(tmp_path, monkeypatch):
    path = fake_cache.write_cifar10(tmp_path)
    fake_cache.expect(monkeypatch, tmp_path, path)
    raw = keras_cache.load("cifar10", str(tmp_path))
    assert raw.train_images.shape == (200, 32, 32, 3)
    assert raw.test_images.shape == (40, 32, 32, 3)
    assert raw.train_images[43, 5, 6].tolist() == [3, 103, 200]
    assert raw.train_labels[43] == 3


def test_reads_a_cache_that_cannot_be_written(tmp_path):
    files = fake_cache.write_fashion_mnist(tmp_path)
    directories = {path.parent for path in files} | {tmp_path}
    for path in (*files, *directories):
        path.chmod(0o555)
    try:
        raw = keras_cache.load("fashion_mnist", str(tmp_path))
    finally:
        for path in directories:
            path.chmod(0o755)
    assert len(raw.train_labels) == 200


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_keeps_a_file_whose_hash_is_not_the_expected_one(tmp_path, name):
    write = getattr(fake_cache, f"write_{name}")
    path = write(tmp_path)
    before = listing(tmp_path)
    with pytest.raises(errors.DataError) as caught:
        keras_cache.load(name, str(tmp_path))
    message = str(caught.value)
    file = path.relative_to(tmp_path).as_posix()
    assert str(path) in message
    assert keras_cache._SHA256[file] in message
    assert keras_cache.files.sha256_of_file(path) in message
    assert "Nothing was deleted" in message
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"plain text",
        lambda content: content[:-8] + b"\0\0\0\0" + content[-4:],
    ],
    ids=["truncated", "empty", "not gzip", "checksum"],
)
def test_rejects_a_damaged_file_and_keeps_it(tmp_path, damage):
    path = fake_cache.write_fashion_mnist(tmp_path)[2]
    path.write_bytes(damage(path.read_bytes()))
    before = listing(tmp_path)
    with pytest.raises(errors.DataError, match="Cannot read fashion_mnist"):
        keras_cache.load("fashion_mnist", str(tmp_path))
    assert listing(tmp_path) == before


def test_rejects_labels_in_the_place_of_images(tmp_path):
    labels, images = fake_cache.write_fashion_mnist(tmp_path)[1::-1]
    labels.write_bytes(images.read_bytes())
    with pytest.raises(errors.DataError, match="IDX magic is 0x80"):
        keras_cache.load("fashion_mnist", str(tmp_path))


def test_rejects_different_numbers_of_images_and_labels(tmp_path):
    fake_cache.write_fashion_mnist(tmp_path / "a")
    fake_cache.write_fashion_mnist(tmp_path / "b", num_train=190)
    name = f"{fake_cache.FASHION_MNIST}/train-labels-idx1-ubyte.gz"
    (tmp_path / "b" / name).replace(tmp_path / "a" / name)
    with pytest.raises(
        errors.DataError, match=re.escape("Received: 190 and 200")
    ):
        keras_cache.load("fashion_mnist", str(tmp_path / "a"))


def test_downloads_what_is_missing_and_keeps_what_is_there(
    tmp_path, without_downloads, capsys
):
    without_downloads.fashion_mnist.write = fake_cache.write_fashion_mnist
    cache = tmp_path / "new" / "cache"
    raw = keras_cache.load("fashion_mnist", str(cache))
    assert len(raw.train_labels) == 200
    files = sorted((cache / fake_cache.FASHION_MNIST).iterdir())
    assert len(files) == len(listing(cache)) == 4
    kept = files[1].read_bytes()
    files[0].unlink()
    without_downloads.fashion_mnist.write = (
        lambda cache: fake_cache.write_fashion_mnist(cache, num_test=50)
    )
    keras_cache.load("fashion_mnist", str(cache))
    assert files[1].read_bytes() == kept
    assert len(listing(cache)) == 4
    assert capsys.readouterr().out == ""


def test_a_failed_download_is_one_error_and_deletes_nothing(tmp_path):
    fake_cache.write_fashion_mnist(tmp_path)[0].unlink()
    before = listing(tmp_path)
    with pytest.raises(errors.DataError) as caught:
        keras_cache.load("fashion_mnist", str(tmp_path))
    message = str(caught.value)
    assert message.startswith(
        f"Cannot download fashion_mnist into {str(tmp_path)!r}: URL fetch"
    )
    assert "t10k-images-idx3-ubyte.gz there, or name another" in message
    assert listing(tmp_path) == before


def test_refuses_to_download_where_it_cannot_write(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(errors.DataError, match="cannot be written"):
        keras_cache.load("mnist", str(tmp_path / "file"))
