# SPDX-License-Identifier: Apache-2.0
"""Images that are decoded when a batch of them is asked for."""

import hashlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from tflite_opt.data import (
    dataset,
    file_tree,
    image_files,
    parallel,
    preprocessing,
)
from tflite_opt.records import errors

_INTERPOLATION = Image.Resampling.BILINEAR


class LazyImages:
    """Images of one size, float32; satisfies `examples.LazyExamples`.

    Only a batch is in memory, and several threads decode it.

    Attributes:
        shape: `(n, height, width, channels)`.
        dtype: float32.
    """

    def __init__(
        self,
        files: image_files.ImageFiles,
        positions: np.ndarray,
        image_shape: tuple[int, int, int],
        resize: dataset.Resize,
        preprocess: dataset.Preprocessing,
    ) -> None:
        """Loads nothing.

        Args:
            files: Where the images are, readable ones only.
            positions: Of the examples among them, shape `(n,)`, int64.
            image_shape: Height, width, and 1 (grey) or 3 (red, green, blue)
                channels; transparency is dropped.
            resize: See `dataset.DataSpec`. Bilinear, and smoothed when an
                image gets smaller. The orientation that cameras write down is
                not applied, as Keras does not.
            preprocess: See `preprocessing.apply`.
        """
        self._files = files
        self._positions = positions
        self._image_shape = image_shape
        self._resize = resize
        self._preprocess = preprocess
        self.shape = (len(positions), *image_shape)
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        """Number of examples."""
        return len(self._positions)

    def __getitem__(self, chosen: slice | np.ndarray) -> np.ndarray:
        """Decodes some examples.

        Raises:
            DataError: If a file is damaged.
        """
        positions = self._positions[chosen]
        pixels = np.empty((len(positions), *self._image_shape), np.float32)

        def decode(row: int) -> None:
            pixels[row] = self._pixels(positions[row])

        parallel.map_items(decode, range(len(positions)))
        return preprocessing.apply(pixels, self._preprocess)

    def take(self, positions: np.ndarray) -> "LazyImages":
        """Returns a view of the examples at `positions`; decodes nothing."""
        return LazyImages(
            self._files,
            self._positions[positions],
            self._image_shape,
            self._resize,
            self._preprocess,
        )

    def fingerprint(self) -> str:
        """Returns a hash of the files' bytes and of what is done to them."""
        digest = hashlib.sha256(
            f"{self.shape} {self._resize} {self._preprocess}".encode()
        )
        positions = self._positions.tolist()
        for part in parallel.map_items(self._files.digest, positions):
            digest.update(part)
        return digest.hexdigest()

    def _pixels(self, position: int) -> np.ndarray:
        height, width, channels = self._image_shape
        image = self._files.image(position)
        image = image.convert("L" if channels == 1 else "RGB")
        if image.size != (width, height):
            image = _RESIZERS[self._resize](image, (width, height))
        return np.asarray(image).reshape(self._image_shape)


def from_files(
    tree: file_tree.FileTree,
    names: Sequence[str],
    spec: dataset.DataSpec,
    where: str,
) -> tuple[LazyImages, tuple[str, ...]]:
    """Returns the readable ones among some image files, and their names.

    There is one channel if all of them are grey and the preprocessing needs no
    colours, else three.

    Args:
        tree: Where the files are.
        names: Of the files, at least one.
        spec: Says what is done to the images.
        where: What errors call the tree.

    Raises:
        DataError: If too many are unreadable, or they are of several sizes
            and `spec.image_size` is not set.
    """
    headers = image_files.read_headers(tree, names, where)
    is_grey = headers.are_grey and not preprocessing.needs_colours(
        spec.preprocessing
    )
    height, width = spec.image_size or _common_size(headers, where)
    images = LazyImages(
        image_files.ImageFiles(tree, headers.names),
        np.arange(len(headers.names)),
        (height, width, 1 if is_grey else 3),
        spec.resize,
        spec.preprocessing,
    )
    return images, headers.names


def _common_size(headers: image_files.Headers, where: str) -> tuple[int, int]:
    first = headers.sizes[0]
    other = np.flatnonzero((headers.sizes != first).any(axis=1))
    if len(other):
        shown = (
            f"{headers.names[i]!r} of {headers.sizes[i][0]}x"
            f"{headers.sizes[i][1]}"
            for i in (0, other[0])
        )
        raise errors.DataError(
            "Images must have one size, or be brought to one with "
            "--image_size=HEIGHTxWIDTH. "
            f"Received: {' and '.join(shown)} in {where}"
        )
    return int(first[0]), int(first[1])


_RESIZERS = {
    "stretch": lambda image, size: image.resize(size, _INTERPOLATION),
    "crop": lambda image, size: ImageOps.fit(image, size, _INTERPOLATION),
    "pad": lambda image, size: ImageOps.pad(image, size, _INTERPOLATION),
}
