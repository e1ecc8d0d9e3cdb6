# SPDX-License-Identifier: Apache-2.0
"""A data set as the stages see it: named splits of named inputs.

`train` is for training; `calibration` is a part of `train` that quantization
may look at; every choice is made on `validation`; `test` is evaluated once.
"""

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from tflite_opt.records import errors, files, serialization

SPLIT_NAMES = ("train", "calibration", "validation", "test")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSpec(serialization.Record):
    """Names a data set so that another process loads the same one.

    Attributes:
        source: One of `sources.NAMES`, or `npz:FILE`.
        data_cache: Keras' cache directory; None for `KERAS_HOME`, else
            `~/.keras`.
        seed: Of the splits.
        num_calibration: Number of calibration samples.
        limit: At most this many examples of each split; 0 for all.
    """

    source: str
    data_cache: str | None = None
    seed: int = 0
    num_calibration: int = 200
    limit: int = 0

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


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Split:
    """Some examples of a data set.

    Attributes:
        name: One of `SPLIT_NAMES`.
        inputs: By input name, arrays of shape `(n, ...)`.
        labels: Class indices, shape `(n,)`, int64.
        ids: Position of each example in the source, shape `(n,)`, int64;
            unique over all splits but `calibration`, which is in `train`.
    """

    name: str
    inputs: Mapping[str, np.ndarray]
    labels: np.ndarray
    ids: np.ndarray

    def __post_init__(self) -> None:
        """Checks that all arrays have the same length, and at least 1.

        Raises:
            DataError: If they do not.
        """
        lengths = {name: len(array) for name, array in self.inputs.items()}
        lengths |= {"labels": len(self.labels), "ids": len(self.ids)}
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
        arrays = {f"input/{name}": x for name, x in self.inputs.items()}
        arrays |= {"labels": self.labels, "ids": self.ids}
        return files.sha256_of_arrays(arrays)

    def take(self, positions: np.ndarray, name: str) -> "Split":
        """Returns the examples at `positions` as a split called `name`."""
        return Split(
            name=name,
            inputs={key: x[positions] for key, x in self.inputs.items()},
            labels=self.labels[positions],
            ids=self.ids[positions],
        )


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """A loaded data set.

    Attributes:
        name: What records and tables call it.
        num_classes: Labels are in `[0, num_classes)`.
        splits: By name, one for each of `SPLIT_NAMES`.
        class_names: One for each class where the source has them.
    """

    name: str
    num_classes: int
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
