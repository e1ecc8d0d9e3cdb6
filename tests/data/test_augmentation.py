# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tflite_opt.data import augmentation
from tflite_opt.records import errors


def dots(count=200, side=16):
    """Images with a single 1 right of the centre."""
    images = np.zeros((count, side, side, 1), np.float32)
    images[:, 8, 10, 0] = 1
    return images


def positions(images):
    return {tuple(position[1:3]) for position in np.argwhere(images)}


def test_none_returns_the_images_themselves():
    images = dots()
    generator = np.random.default_rng(0)
    assert augmentation.augment(images, "none", generator) is images


def test_shift_moves_by_at_most_an_eighth_in_every_direction():
    images = dots()
    shifted = augmentation.augment(images, "shift", np.random.default_rng(0))
    assert shifted.shape == images.shape
    assert shifted.dtype == np.float32
    assert positions(shifted) == {
        (row, column) for row in range(6, 11) for column in range(8, 13)
    }
    assert positions(images) == {(8, 10)}


def test_flip_mirrors_about_half_of_the_images():
    images = dots(side=7 * 2)[:, :, :, :]
    images[:] = 0
    images[:, 7, 12, 0] = 1
    flipped = augmentation.augment(
        images, "shift_flip", np.random.default_rng(0)
    )
    left = np.sum(np.argwhere(flipped)[:, 2] < 7)
    assert 70 < left < 130


def test_same_generator_gives_the_same_images():
    first, again = (
        augmentation.augment(dots(), "shift_flip", np.random.default_rng(5))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


def test_rejects_what_is_no_image():
    with pytest.raises(errors.DataError, match=re.escape("shape=(3, 4)")):
        augmentation.augment(np.ones((3, 4)), "shift", np.random.default_rng(0))
