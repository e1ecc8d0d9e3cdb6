# SPDX-License-Identifier: Apache-2.0
from typing import get_args

import numpy as np
import pytest

from tflite_opt.data import dataset, preprocessing


def pixels():
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (2, 3, 4, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("none", [0, 127.5, 255]),
        ("unit", [0, 0.5, 1]),
        ("symmetric", [-1, 0, 1]),
        ("imagenet_mean_std", [-0.485 / 0.229, 0.044 / 0.224, 0.594 / 0.225]),
        ("caffe", [255 - 103.939, 127.5 - 116.779, 0 - 123.68]),
    ],
)
def test_a_pixel_from_black_to_white(kind, expected):
    image = np.array([[[[0, 127.5, 255]]]], np.float32)
    found = preprocessing.apply(image, kind)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0, 0, 0], expected, atol=1e-6)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("kind", "mode"),
    [("symmetric", "tf"), ("imagenet_mean_std", "torch"), ("caffe", "caffe")],
)
def test_is_what_keras_does(kind, mode):
    from tf_keras.src.applications import imagenet_utils

    np.testing.assert_allclose(
        preprocessing.apply(pixels(), kind),
        imagenet_utils.preprocess_input(pixels(), mode=mode),
        atol=1e-5,
    )


def test_formulas_without_constants_by_colour_take_grey_images():
    grey = pixels()[..., :1]
    for kind in get_args(dataset.Preprocessing):
        if not preprocessing.needs_colours(kind):
            assert preprocessing.apply(grey.copy(), kind).shape == grey.shape
    assert preprocessing.needs_colours("caffe")
    assert preprocessing.needs_colours("imagenet_mean_std")
