# SPDX-License-Identifier: Apache-2.0
"""Random changes to training images that leave their class as it is."""

import numpy as np

from tflite_opt.records import errors, training

# Images move by at most this share of their sides.
SHIFT_FRACTION = 1 / 8


def augment(
    images: np.ndarray,
    kind: training.Augmentation,
    generator: np.random.Generator,
) -> np.ndarray:
    """Returns randomly changed images.

    Args:
        images: Shape `(n, height, width, channels)`; not modified.
        kind: `none`, `shift`, or `shift_flip`, which also mirrors each image
            with probability 0.5.
        generator: Source of the random numbers.

    Returns:
        Same shape and dtype; `images` itself for `none`. What a shift
        uncovers is 0.

    Raises:
        DataError: If `images` are no images.
    """
    if kind == "none":
        return images
    if images.ndim != 4:
        raise errors.DataError(
            "Only images (n, height, width, channels) can be augmented. "
            f"Received: shape={images.shape}. Use augmentation=none."
        )
    shifted = _shift(images, generator)
    if kind == "shift_flip":
        mirrored = generator.random(len(images)) < 0.5
        shifted[mirrored] = shifted[mirrored, :, ::-1]
    return shifted


def _shift(images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    count, height, width, _ = images.shape
    reach_y, reach_x = (int(s * SHIFT_FRACTION) for s in (height, width))
    padded = np.pad(
        images, ((0, 0), (reach_y, reach_y), (reach_x, reach_x), (0, 0))
    )
    top = generator.integers(0, 2 * reach_y + 1, count)
    left = generator.integers(0, 2 * reach_x + 1, count)
    rows = top[:, np.newaxis] + np.arange(height)
    columns = left[:, np.newaxis] + np.arange(width)
    return padded[
        np.arange(count)[:, np.newaxis, np.newaxis],
        rows[:, :, np.newaxis],
        columns[:, np.newaxis, :],
    ]
