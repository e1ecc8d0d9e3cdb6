# SPDX-License-Identifier: Apache-2.0
"""Writes tiny data sets in the layout of Keras' cache."""

import gzip
import io
import pathlib
import pickle
import struct
import tarfile

import numpy as np
import pytest

from tflite_opt.data import keras_cache
from tflite_opt.records import files

MNIST = "datasets/mnist.npz"
CIFAR10 = "datasets/cifar-10-batches-py.tar.gz"
FASHION_MNIST = "datasets/fashion-mnist"


def labels(count: int) -> np.ndarray:
    return (np.arange(count) % 10).astype(np.uint8)


def images(count: int, side: int = 28) -> np.ndarray:
    """Image i is filled with the grey value i modulo 256."""
    values = (np.arange(count) % 256).astype(np.uint8)
    return np.tile(values[:, None, None], (1, side, side))


def write_fashion_mnist(
    cache: pathlib.Path, num_train: int = 200, num_test: int = 50
) -> list[pathlib.Path]:
    directory = cache / FASHION_MNIST
    directory.mkdir(parents=True)
    for prefix, count in (("train", num_train), ("t10k", num_test)):
        (directory / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(
            gzip.compress(
                struct.pack(">II", 0x801, count) + labels(count).tobytes()
            )
        )
        (directory / f"{prefix}-images-idx3-ubyte.gz").write_bytes(
            gzip.compress(
                struct.pack(">IIII", 0x803, count, 28, 28)
                + images(count).tobytes()
            )
        )
    return sorted(directory.iterdir())


def write_mnist(
    cache: pathlib.Path, num_train: int = 200, num_test: int = 50
) -> pathlib.Path:
    path = cache / MNIST
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        x_train=images(num_train),
        y_train=labels(num_train),
        x_test=images(num_test),
        y_test=labels(num_test),
    )
    return path


def write_cifar10(cache: pathlib.Path, per_batch: int = 40) -> pathlib.Path:
    """Image i of a batch has red i, green 100 + i and blue 200."""
    planes = np.empty((per_batch, 3, 32, 32), np.uint8)
    planes[:, 0] = np.arange(per_batch)[:, None, None]
    planes[:, 1] = 100 + np.arange(per_batch)[:, None, None]
    planes[:, 2] = 200
    batch = {
        b"data": planes.reshape(per_batch, -1),
        b"labels": labels(per_batch).tolist(),
    }
    content = pickle.dumps(batch, protocol=2)
    path = cache / CIFAR10
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def expect(
    monkeypatch: pytest.MonkeyPatch, cache: pathlib.Path, path: pathlib.Path
) -> None:
    """Makes a fake file the one that Keras would demand."""
    monkeypatch.setitem(
        keras_cache._SHA256,
        path.relative_to(cache).as_posix(),
        files.sha256_of_file(path),
    )
