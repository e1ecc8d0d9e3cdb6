# SPDX-License-Identifier: Apache-2.0
"""Image sets of TensorFlow Datasets, where that is installed.

It downloads and prepares them; here their records are read like files, without
TensorFlow, and decoded batch by batch.
"""

import io
from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy as np

from tflite_opt.data import dataset, parts
from tflite_opt.records import errors

FORMS = ("tfds:NAME",)
OPTIONS = ("image_size", "resize", "preprocessing")

# The format with random access.
_FILE_FORMAT = "array_record"


def load(argument: str, spec: dataset.DataSpec) -> dataset.Dataset:
    """Prepares a set of images with one class each, and opens it.

    Args:
        argument: Its name, with `/CONFIG` and `:VERSION` if wanted.
        spec: Of the splits and the images.

    Returns:
        One input `image`, as that of `images:DIR`.

    Raises:
        InputError: If tensorflow-datasets is not installed.
        DataError: If there is no such set, it cannot be downloaded, or it is
            no set of images with classes.
    """
    from tflite_opt.data import lazy_images

    builder = _prepared(argument)
    image_key, label_key = _keys(builder, argument)
    records = builder.as_data_source(
        decoders={image_key: _library().decode.SkipDecoding()}
    )
    tree = _Records(
        {name: records[name] for name in parts.NAMES if name in records},
        image_key,
    )
    where = f"tfds:{argument}"
    images, names = lazy_images.from_files(tree, tree.names(), spec, where)
    part_of = np.array([name.partition("/")[0] for name in names])
    found = {}
    for part in parts.NAMES:
        positions = np.flatnonzero(part_of == part)
        if len(positions):
            labels = [tree.record(names[i])[label_key] for i in positions]
            found[part] = parts.Part(
                inputs={dataset.IMAGE_INPUT: images.take(positions)},
                labels=np.array(labels, np.int64),
            )
    source = parts.Source(
        name=where,
        where=where,
        parts=found,
        class_names=tuple(builder.info.features[label_key].names),
    )
    return parts.to_dataset(source, spec)


class _Records:
    """Encoded images as files; satisfies `file_tree.FileTree`."""

    def __init__(
        self, records: Mapping[str, Sequence[Any]], image_key: str
    ) -> None:
        self._records = records
        self._image_key = image_key

    def names(self) -> list[str]:
        return [
            f"{part}/{index}"
            for part, records in self._records.items()
            for index in range(len(records))
        ]

    def record(self, name: str) -> Mapping[str, Any]:
        part, _, index = name.partition("/")
        found: Mapping[str, Any] = self._records[part][int(index)]
        return found

    def open(self, name: str) -> IO[bytes]:
        return io.BytesIO(self.record(name)[self._image_key])


def _library() -> Any:
    try:
        import tensorflow_datasets
    except ModuleNotFoundError as error:
        raise errors.InputError(
            "tfds:NAME needs the package tensorflow-datasets. Received: "
            f"{error}. Run `pip install tensorflow-datasets`."
        ) from error
    return tensorflow_datasets


def _prepared(name: str) -> Any:
    library = _library()
    try:
        builder = library.builder(name, file_format=_FILE_FORMAT)
        builder.download_and_prepare()
    # Each set has a script of its own, which may raise anything.
    except Exception as error:
        first, *_ = [*str(error).splitlines(), ""]
        raise errors.DataError(
            f"Cannot prepare tfds:{name}: {type(error).__name__}: {first}"
        ) from error
    return builder


def _keys(builder: Any, name: str) -> tuple[str, str]:
    """Returns the names of the image and of its class in a record."""
    features = _library().features
    keys = builder.info.supervised_keys
    if (
        keys is None
        or len(keys) != 2
        or not isinstance(builder.info.features[keys[0]], features.Image)
        or not isinstance(builder.info.features[keys[1]], features.ClassLabel)
    ):
        raise errors.DataError(
            "Of TensorFlow Datasets, only images with one class each can be "
            f"used. Received: {name!r} with supervised_keys={keys}. Write a "
            "function for python:PACKAGE.MODULE:FUNCTION."
        )
    return keys
