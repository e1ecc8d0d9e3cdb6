# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest
from scipy import ndimage

from tflite_opt.data import corruptions, dataset
from tflite_opt.records import errors

COUNT = 40


def _images(side=8, channels=1):
    generator = np.random.default_rng(0)
    images = generator.random((COUNT, side, side, channels), np.float32)
    # The range is exactly 0 to 1.
    images[0, 0, 0] = 0
    images[0, 0, 1] = 1
    return images


def _split(**inputs):
    count = len(next(iter(inputs.values())))
    return dataset.Split(
        name="test",
        inputs=inputs,
        labels=np.arange(count) % 10,
        ids=np.arange(count) + 700,
    )


def _corrupted(split, name, severity=3, seed=0):
    shift = corruptions.Corruption(name=name, severity=severity, seed=seed)
    return corruptions.corrupt(split, shift)


def _values(split, name, severity=3):
    return _corrupted(split, name, severity).inputs["image"][:]


def test_brightness_adds_a_part_of_the_range():
    images = _images()
    found = _values(_split(image=images), "brightness", 3)
    np.testing.assert_allclose(found, np.clip(images + 0.15, 0, 1), atol=1e-6)
    assert found.dtype == np.float32


def test_contrast_moves_pixels_towards_the_mean_of_their_image():
    images = _images(channels=3)
    found = _values(_split(image=images), "contrast", 5)
    mean = images.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found, (images - mean) * 0.15 + mean, atol=1e-6)


def test_blur_is_a_gaussian_filter_of_each_channel_alone():
    images = _images(channels=3)
    found = _values(_split(image=images), "blur", 5)
    expected = ndimage.gaussian_filter(images[7, ..., 2], 1.0, mode="nearest")
    np.testing.assert_allclose(found[7, ..., 2], expected, atol=1e-6)


def test_noise_has_the_strength_of_the_benchmark():
    images = np.full((COUNT, 32, 32, 1), 0.5, np.float32)
    images[0, 0, :2, 0] = 0, 1
    found = _values(_split(image=images), "noise", 5)
    assert (found - images).std() == pytest.approx(0.1, rel=0.02)
    assert abs((found - images).mean()) < 0.002


@pytest.mark.parametrize(
    ("side", "name", "strength"),
    [
        (32, "noise", 0.08),
        (64, "noise", 0.08),
        (224, "noise", 0.18),
        (32, "blur", 0.7),
        (224, "blur", 3.0),
        (112, "blur", 1.5),
    ],
)
def test_large_images_take_the_constants_for_large_images(side, name, strength):
    shift = corruptions.Corruption(name=name, severity=3)
    assert shift.strength((side, side, 3)) == strength


@pytest.mark.parametrize("name", corruptions.NAMES)
def test_each_severity_is_worse_than_the_one_before(name):
    split = _split(image=_images())
    apart = [
        np.abs(_values(split, name, severity) - split.inputs["image"]).mean()
        for severity in corruptions.SEVERITIES
    ]
    assert apart == sorted(apart)
    assert apart[0] > 0


@pytest.mark.parametrize("name", corruptions.NAMES)
def test_preprocessing_and_corruption_can_change_places(name):
    scale = np.array([255, 2, 1 / 0.2], np.float32)
    offset = np.array([0, -1, -0.4], np.float32)
    images = _images(channels=3)
    found = _values(_split(image=images * scale + offset), name)
    expected = _values(_split(image=images), name) * scale + offset
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", corruptions.NAMES)
def test_an_example_is_the_same_in_every_batch(name):
    examples = _corrupted(_split(image=_images()), name).inputs["image"]
    everything = examples[:]
    np.testing.assert_array_equal(examples[10:13], everything[10:13])
    rows = np.array([31, 4])
    np.testing.assert_array_equal(examples[rows], everything[rows])
    assert everything.shape == examples.shape
    assert len(examples) == COUNT


def test_another_seed_is_other_noise():
    split = _split(image=_images())
    first, second = (
        _corrupted(split, "noise", seed=seed).inputs["image"][:]
        for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


def test_the_fingerprint_is_that_of_the_corruption():
    split = _split(image=_images())
    found = {split.fingerprint()}
    for options in (("noise", 3), ("noise", 4), ("noise", 3, 1), ("blur", 3)):
        found.add(_corrupted(split, *options).fingerprint())
    assert len(found) == 5
    again = _corrupted(_split(image=_images()), "noise")
    assert again.fingerprint() in found


def test_labels_and_ids_stay_and_the_clean_split_too():
    images = _images()
    split = _split(image=images)
    before = images.copy()
    found = _corrupted(split, "noise", 5)
    found.inputs["image"][:]
    assert found.name == "test-noise5"
    assert found.labels is split.labels
    assert found.ids is split.ids
    np.testing.assert_array_equal(images, before)


def test_features_take_noise_by_their_own_range():
    generator = np.random.default_rng(0)
    features = generator.random((2000, 2)).astype(np.float32) * [1, 1000]
    split = _split(x=features.astype(np.float32))
    noise = _corrupted(split, "noise", 5).inputs["x"][:] - split.inputs["x"]
    assert noise.std(axis=0) == pytest.approx([0.1, 100], rel=0.05)


def test_only_images_are_blurred_beside_other_inputs():
    split = _split(image=_images(), meta=np.ones((COUNT, 3), np.float32))
    found = _corrupted(split, "blur")
    assert found.inputs["meta"] is split.inputs["meta"]
    assert found.inputs["image"] is not split.inputs["image"]


def test_two_inputs_get_different_noise():
    images = _images()
    found = _corrupted(_split(left=images, right=images), "noise").inputs
    assert not np.array_equal(found["left"][:], found["right"][:])


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (
            "blur",
            np.ones((COUNT, 5), np.float32),
            "'blur' needs images, a floating input (n, height, width, "
            "channels). Received: inputs={'x': ((40, 5), 'float32')}",
        ),
        (
            "noise",
            np.ones((COUNT, 5), np.int32),
            "'noise' needs a floating input. "
            "Received: inputs={'x': ((40, 5), 'int32')}",
        ),
    ],
    ids=["no image", "token ids"],
)
def test_what_cannot_be_corrupted_is_refused(name, values, message):
    with pytest.raises(errors.DataError, match=re.escape(message)):
        _corrupted(_split(x=values), name)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "fog", "severity": 3}, "contrast. Received: 'fog'"),
        ({"name": "blur", "severity": 6}, "severity=6"),
        ({"name": "blur", "severity": 3, "seed": -1}, "seed=-1"),
    ],
)
def test_what_is_no_corruption_is_refused(fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        corruptions.Corruption(**fields)
