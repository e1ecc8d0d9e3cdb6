# SPDX-License-Identifier: Apache-2.0
"""A data set as the stages see it: named splits of named inputs.

`train` is for training; `calibration` is a part of `train` that quantization
may look at; every choice is made on `validation`; `test` is evaluated once.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Literal

import numpy as np

from tflite_opt.data import examples
from tflite_opt.records import errors, files, serialization

SPLIT_NAMES = ("train", "calibration", "validation", "test")

IMAGE_INPUT = "image"

Resize = Literal["stretch", "crop", "pad"]
Preprocessing = Literal[
    "none", "unit", "symmetric", "imagenet_mean_std", "caffe"
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSpec(serialization.Record):
    """Names a data set so that another process loads the same one.

    Attributes:
        source: One of `sources.forms()`.
        data_cache: Keras' cache directory; None for `KERAS_HOME`, else
            `~/.keras`.
        seed: Of the splits.
        num_calibration: Number of calibration samples.
        limit: At most this many examples of each split; 0 for all.
        image_size: Height and width that images are brought to; None for the
            size that they all have.
        resize: How: `stretch` changes the proportions; `crop` cuts what is
            too long off both ends; `pad` adds black to both ends of what is
            too short.
        preprocessing: What is done to pixels from 0 to 255: see
            `preprocessing.apply`.
        label_column: Of a table; None for unlabelled examples.
    """

    source: str
    data_cache: str | None = None
    seed: int = 0
    num_calibration: int = 200
    limit: int = 0
    image_size: tuple[int, int] | None = None
    resize: Resize = "stretch"
    preprocessing: Preprocessing = "none"
    label_column: str | None = None

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a number is out of its range.
        """
        super().__post_init__()
        if self.num_calibration < 1 or self.limit < 0 or self.seed < 0:
            raise errors.InputError(
                "`num_calibration` must be at least 1, `limit` and `seed` at "
                f"least 0. Received: num_calibration={self.num_calibration}, "
                f"limit={self.limit}, seed={self.seed}"
            )
        size = self.image_size
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise errors.InputError(
                "`image_size` must be a height and a width, both at least 1. "
                f"Received: image_size={size}"
            )

    def describe_preprocessing(self) -> str:
        """Returns what the data went through, for whoever must repeat it."""
        if self.preprocessing == "none" and self.image_size is None:
            return f"none: values as {self.source} gives them"
        size = "x".join(map(str, self.image_size or ())) or "own"
        return (
            f"image_size={size}, resize={self.resize}, "
            f"preprocessing={self.preprocessing}"
        )


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Split:
    """Some examples of a data set.

    Attributes:
        name: One of `SPLIT_NAMES`.
        inputs: By input name, shape `(n, ...)`. They may be lazy: slice them
            batch by batch.
        labels: Class indices, shape `(n,)`, int64; class maps, shape
            `(n, height, width)`, int64; values, shape `(n, ...)`, float32; or
            None for unlabelled examples.
        ids: Position of each example in the source, shape `(n,)`, int64;
            unique over all splits but `calibration`, which is in `train`.
    """

    name: str
    inputs: Mapping[str, examples.Examples]
    labels: np.ndarray | None
    ids: np.ndarray

    def __post_init__(self) -> None:
        """Checks that all arrays have the same length, and at least 1.

        Raises:
            DataError: If they do not.
        """
        lengths = {name: len(x) for name, x in self.inputs.items()}
        lengths["ids"] = len(self.ids)
        if self.labels is not None:
            lengths["labels"] = len(self.labels)
        if len(set(lengths.values())) != 1 or not len(self.ids):
            raise errors.DataError(
                "All arrays of a split must have the same number of examples, "
                f"at least 1. Received: split={self.name!r}, {lengths}"
            )

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.ids)

    def fingerprint(self) -> str:
        """Returns a hash of inputs, labels and ids."""
        return self._fingerprint

    @functools.cached_property
    def _fingerprint(self) -> str:
        # Every stage and every variant asks; the arrays never change.
        arrays = {
            f"input/{name}": _hashable(x) for name, x in self.inputs.items()
        }
        arrays["ids"] = self.ids
        if self.labels is not None:
            arrays["labels"] = self.labels
        return files.sha256_of_arrays(arrays)

    def class_indices(self) -> np.ndarray:
        """Returns labels that are one class for each example.

        Returns:
            Shape `(n,)`, int64.

        Raises:
            DataError: If the labels are something else, or there are none.
        """
        if self.labels is None or not are_class_indices(self.labels):
            found = (
                "no labels"
                if self.labels is None
                else f"labels of shape {self.labels.shape}, {self.labels.dtype}"
            )
            raise errors.DataError(
                "This needs one class for each example. "
                f"Received: {found} in split={self.name!r}"
            )
        return self.labels

    def take(self, positions: np.ndarray, name: str) -> "Split":
        """Returns the examples at `positions` as a split called `name`."""
        return Split(
            name=name,
            inputs={
                key: examples.take(x, positions)
                for key, x in self.inputs.items()
            },
            labels=None if self.labels is None else self.labels[positions],
            ids=self.ids[positions],
        )


def _hashable(inputs: examples.Examples) -> np.ndarray:
    if isinstance(inputs, np.ndarray):
        return inputs
    return np.frombuffer(examples.fingerprint(inputs).encode(), np.uint8)


def are_class_indices(labels: np.ndarray) -> bool:
    """Returns whether labels of a split are one class for each example."""
    return labels.ndim == 1 and labels.dtype.kind in "iu"


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """A loaded data set.

    Attributes:
        name: What records and tables call it.
        num_classes: Class indices and class maps are in `[0, num_classes)`;
            None for other labels and for none.
        class_names: One for each class where the source has them.
        splits: By name, one for each of `SPLIT_NAMES`.
    """

    name: str
    num_classes: int | None
    splits: Mapping[str, Split]
    class_names: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Split:
        """Returns the split called `name`."""
        return self.splits[name]

    def fingerprint(self) -> str:
        """Returns a hash of all splits."""
        return files.sha256_of_text(
            " ".join(self.splits[name].fingerprint() for name in SPLIT_NAMES)
        )

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of one example, by input name."""
        inputs = self.splits["train"].inputs
        return {name: x.shape[1:] for name, x in inputs.items()}

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example of the only input.

        Raises:
            DataError: If there are several inputs.
        """
        shapes = self.input_shapes
        if len(shapes) != 1:
            raise errors.DataError(
                "The data set must have one input here. "
                f"Received: inputs={sorted(shapes)}"
            )
        return next(iter(shapes.values()))
