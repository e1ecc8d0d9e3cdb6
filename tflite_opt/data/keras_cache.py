# SPDX-License-Identifier: Apache-2.0
"""Image data sets in Keras' cache: read here, downloaded by Keras.

Files that are there are read without TensorFlow and never written, moved or
deleted, so a read-only cache works. Keras' own loaders would delete a file
whose hash they do not expect, and would turn to a temporary directory when the
cache is not writable. Missing files are downloaded by those loaders into a
fresh directory inside the cache and moved to their places afterwards.
"""

import contextlib
import dataclasses
import gzip
import hashlib
import importlib
import io
import os
import pathlib
import pickle
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from tflite_opt.records import errors, files

NAMES = ("mnist", "fashion_mnist", "cifar10")

# Where tf_keras 2.21 puts each data set, in the order of its arrays.
_FILES: dict[str, tuple[str, ...]] = {
    "mnist": ("datasets/mnist.npz",),
    "fashion_mnist": (
        "datasets/fashion-mnist/train-labels-idx1-ubyte.gz",
        "datasets/fashion-mnist/train-images-idx3-ubyte.gz",
        "datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz",
        "datasets/fashion-mnist/t10k-images-idx3-ubyte.gz",
    ),
    "cifar10": ("datasets/cifar-10-batches-py.tar.gz",),
}

# SHA-256 that tf_keras 2.21 demands; it demands none for Fashion-MNIST.
_SHA256 = {
    "datasets/mnist.npz": (
        "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
    ),
    "datasets/cifar-10-batches-py.tar.gz": (
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
    ),
}

_IDX_LABELS, _IDX_IMAGES = 0x801, 0x803


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class RawImages:
    """A data set as its files hold it.

    Attributes:
        train_images: Shape `(n, height, width, channels)`, uint8.
        train_labels: Shape `(n,)`, int64, in [0, 10).
        test_images: Shape `(m, height, width, channels)`, uint8.
        test_labels: Shape `(m,)`, int64, in [0, 10).
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def directory(data_cache: str | None) -> pathlib.Path:
    """Returns the cache directory.

    Args:
        data_cache: The user's choice; None for the environment variable
            `KERAS_HOME`, else `~/.keras`. tf_keras itself does not look at
            `KERAS_HOME`, Keras 3 does.
    """
    chosen = data_cache or os.environ.get("KERAS_HOME") or "~/.keras"
    return pathlib.Path(chosen).expanduser().absolute()


def files_of(name: str) -> tuple[str, ...]:
    """Returns the files of a data set below the cache; none if it has none."""
    return _FILES.get(name, ())


def load(name: str, data_cache: str | None) -> RawImages:
    """Reads a data set, after downloading it if it is not in the cache.

    Args:
        name: One of `NAMES`.
        data_cache: See `directory`.

    Raises:
        DataError: If a file is not what Keras would accept, is damaged, or
            cannot be downloaded. Nothing of the user's was changed then.
    """
    cache = directory(data_cache)
    paths = [cache / file for file in _FILES[name]]
    missing = [path for path in paths if not path.exists()]
    if missing:
        _download(name, cache, missing)
    contents = [_read(cache, file) for file in _FILES[name]]
    try:
        raw = _READERS[name](contents)
    except (
        *(OSError, ValueError, EOFError, KeyError, TypeError),
        *(zipfile.BadZipFile, zlib.error, tarfile.TarError),
        pickle.UnpicklingError,
    ) as error:
        where = paths[0] if len(paths) == 1 else paths[0].parent
        raise errors.DataError(
            f"Cannot read {name} from {str(where)!r}: {error}. Nothing was "
            "deleted; move the files away to have them downloaded again."
        ) from error
    _check(raw, name, cache)
    return raw


def _read(cache: pathlib.Path, file: str) -> bytes:
    """Returns a file's bytes; what was hashed is what will be parsed."""
    path = cache / file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise errors.DataError(
            f"Cannot read {str(path)!r}: {error.strerror}."
        ) from error
    expected = _SHA256.get(file)
    received = hashlib.sha256(content).hexdigest()
    if expected not in (None, received):
        raise errors.DataError(
            f"{str(path)!r} must have the SHA-256 {expected}. "
            f"Received: {received}. Nothing was deleted; move the file away "
            "to have it downloaded, or use it as npz:FILE."
        )
    return content


def _download(
    name: str, cache: pathlib.Path, missing: list[pathlib.Path]
) -> None:
    hint = (
        f"Put {', '.join(str(p) for p in missing)} there, or name another "
        "cache directory."
    )
    with _scratch_directory(name, cache, hint) as scratch:
        # Set before TensorFlow is imported, or `tf.keras` becomes Keras 3.
        os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
        keras = importlib.import_module("tf_keras")
        loader = getattr(keras.datasets, name)
        try:
            # Keras prints its progress to stdout, which is for results.
            with contextlib.redirect_stdout(sys.stderr):
                loader.load_data(cache_dir=str(scratch))
        except Exception as error:  # Keras raises bare Exception here.
            raise errors.DataError(
                f"Cannot download {name} into {str(cache)!r}: {error}. {hint}"
            ) from error
        for path in missing:
            path.parent.mkdir(parents=True, exist_ok=True)
            (scratch / path.relative_to(cache)).replace(path)


@contextlib.contextmanager
def _scratch_directory(
    name: str, cache: pathlib.Path, hint: str
) -> Iterator[pathlib.Path]:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            dir=cache, prefix=f".{name}-", suffix=files.TEMPORARY_SUFFIX
        ) as scratch:
            yield pathlib.Path(scratch)
    except OSError as error:
        raise errors.DataError(
            f"{name} is not in the cache and {str(cache)!r} cannot be written: "
            f"{error.strerror}. {hint}"
        ) from error


def _read_mnist(contents: list[bytes]) -> RawImages:
    with np.load(io.BytesIO(contents[0]), allow_pickle=False) as arrays:
        return RawImages(
            train_images=arrays["x_train"][..., np.newaxis],
            train_labels=arrays["y_train"].astype(np.int64),
            test_images=arrays["x_test"][..., np.newaxis],
            test_labels=arrays["y_test"].astype(np.int64),
        )


def _read_fashion_mnist(contents: list[bytes]) -> RawImages:
    return RawImages(
        train_labels=_parse_idx(contents[0], _IDX_LABELS).astype(np.int64),
        train_images=_parse_idx(contents[1], _IDX_IMAGES)[..., np.newaxis],
        test_labels=_parse_idx(contents[2], _IDX_LABELS).astype(np.int64),
        test_images=_parse_idx(contents[3], _IDX_IMAGES)[..., np.newaxis],
    )


def _parse_idx(content: bytes, magic: int) -> np.ndarray:
    """Returns the array of a gzipped IDX file of bytes.

    The header is big-endian: a magic number whose last byte is the number of
    dimensions, then the dimensions (http://yann.lecun.com/exdb/mnist).
    """
    unpacked = gzip.decompress(content)
    num_dimensions = magic & 0xFF
    header = np.frombuffer(unpacked, ">u4", count=1 + num_dimensions)
    if header[0] != magic:
        raise errors.InputError(f"IDX magic is {header[0]:#x}, not {magic:#x}")
    shape = tuple(int(size) for size in header[1:])
    return np.frombuffer(unpacked, np.uint8, offset=header.nbytes).reshape(
        shape
    )


def _read_cifar10(contents: list[bytes]) -> RawImages:
    images, labels = {}, {}
    with tarfile.open(fileobj=io.BytesIO(contents[0]), mode="r:gz") as archive:
        for batch in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
            member = archive.extractfile(f"cifar-10-batches-py/{batch}")
            if member is None:
                raise errors.InputError(f"{batch} is not a file")
            # The archive is one whose hash was checked: it holds no code.
            content = pickle.loads(member.read(), encoding="bytes")
            planes = content[b"data"].reshape(-1, 3, 32, 32)
            images[batch] = planes.transpose(0, 2, 3, 1)
            labels[batch] = np.asarray(content[b"labels"], np.int64)
    test_images, test_labels = (
        images.pop("test_batch"),
        labels.pop("test_batch"),
    )
    return RawImages(
        train_images=np.concatenate(list(images.values())),
        train_labels=np.concatenate(list(labels.values())),
        test_images=test_images,
        test_labels=test_labels,
    )


_READERS: dict[str, Callable[[list[bytes]], RawImages]] = {
    "mnist": _read_mnist,
    "fashion_mnist": _read_fashion_mnist,
    "cifar10": _read_cifar10,
}


def _check(raw: RawImages, name: str, cache: pathlib.Path) -> None:
    for part, images, labels in (
        ("train", raw.train_images, raw.train_labels),
        ("test", raw.test_images, raw.test_labels),
    ):
        if len(images) != len(labels) or not set(labels) <= set(range(10)):
            raise errors.DataError(
                f"{name} must have as many {part} labels as images, in "
                f"[0, 10). Received: {len(labels)} and {len(images)} in "
                f"{str(cache)!r}. Nothing was deleted."
            )
