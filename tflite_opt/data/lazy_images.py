# SPDX-License-Identifier: Apache-2.0
"""Images that are decoded when a batch of them is asked for."""

import hashlib
from typing import Protocol

import numpy as np
from PIL import Image, ImageOps

from tflite_opt.data import dataset, parallel, preprocessing

_INTERPOLATION = Image.Resampling.BILINEAR


class ImageStore(Protocol):
    """Where images come from, by position; used by several threads."""

    def image(self, position: int) -> Image.Image:
        """Returns a decoded image of any mode with 8 bits a colour."""

    def digest(self, position: int) -> bytes:
        """Returns a hash of what the image is decoded from."""


class LazyImages:
    """Images of one size, float32; satisfies `examples.LazyExamples`.

    Only a batch is in memory, and several threads decode it.

    Attributes:
        shape: `(n, height, width, channels)`.
        dtype: float32.
    """

    def __init__(
        self,
        store: ImageStore,
        positions: np.ndarray,
        image_shape: tuple[int, int, int],
        resize: dataset.Resize,
        preprocess: dataset.Preprocessing,
    ) -> None:
        """Loads nothing.

        Args:
            store: Where the images are.
            positions: Of the examples in the store, shape `(n,)`, int64.
            image_shape: Height, width, and 1 (grey) or 3 (red, green, blue)
                channels; transparency is dropped.
            resize: See `dataset.DataSpec`. Bilinear, and smoothed when an
                image gets smaller. The orientation that cameras write down is
                not applied, as Keras does not.
            preprocess: See `preprocessing.apply`.
        """
        self._store = store
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
            self._store,
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
        for part in parallel.map_items(self._store.digest, positions):
            digest.update(part)
        return digest.hexdigest()

    def _pixels(self, position: int) -> np.ndarray:
        height, width, channels = self._image_shape
        image = self._store.image(position)
        image = image.convert("L" if channels == 1 else "RGB")
        if image.size != (width, height):
            image = _RESIZERS[self._resize](image, (width, height))
        return np.asarray(image).reshape(self._image_shape)


_RESIZERS = {
    "stretch": lambda image, size: image.resize(size, _INTERPOLATION),
    "crop": lambda image, size: ImageOps.fit(image, size, _INTERPOLATION),
    "pad": lambda image, size: ImageOps.pad(image, size, _INTERPOLATION),
}
