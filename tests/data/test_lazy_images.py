# SPDX-License-Identifier: Apache-2.0
import tracemalloc

import numpy as np
import pytest

from tests.data import pictures
from tflite_opt.data import file_tree, image_files, lazy_images


def images(root, shape=(8, 8, 3), resize="stretch", preprocess="none"):
    tree = file_tree.open_tree(root)
    files = image_files.ImageFiles(tree, tree.names())
    return lazy_images.LazyImages(
        files, np.arange(len(files.names)), shape, resize, preprocess
    )


def test_decodes_what_is_asked_for_in_order(tmp_path):
    pixels = np.stack(
        [pictures.write_noise(tmp_path / f"{i}.png", i) for i in range(9)]
    )
    found = images(tmp_path)
    assert found.shape == (9, 8, 8, 3)
    assert found.dtype == found[:1].dtype == np.float32
    np.testing.assert_array_equal(found[2:5], pixels[2:5])
    chosen = np.array([7, 0, 7])
    np.testing.assert_array_equal(found[chosen], pixels[chosen])
    assert found[9:].shape == (0, 8, 8, 3)
    view = found.take(np.array([8, 4, 1])).take(np.array([2, 0]))
    np.testing.assert_array_equal(view[:], pixels[[1, 8]])


def test_preprocessing_is_applied_to_every_batch(tmp_path):
    pixels = pictures.write_noise(tmp_path / "a.png", 0)
    found = images(tmp_path, preprocess="symmetric")[:]
    np.testing.assert_allclose(found[0], pixels / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize(
    ("resize", "expected"),
    [
        ("stretch", [[10, 10, 200, 200]] * 4),
        ("crop", [[10, 10, 200, 200]] * 4),
        ("pad", [[0] * 4, [10, 10, 200, 200], [10, 10, 200, 200], [0] * 4]),
    ],
)
def test_resize_of_an_image_that_is_too_wide(tmp_path, resize, expected):
    from PIL import Image

    # Left half 10, right half 200, twice as wide as high.
    pixels = np.repeat(np.array([[10] * 32 + [200] * 32], np.uint8), 32, 0)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = images(tmp_path, (4, 4, 1), resize)[:][0, ..., 0]
    # Bilinear mixes the two halves next to the border between them.
    np.testing.assert_allclose(found, expected, atol=40)
    np.testing.assert_allclose(found[:, [0, 3]], np.array(expected)[:, [0, 3]])


def test_transparency_is_dropped_and_grey_becomes_colours(tmp_path):
    pictures.write(tmp_path / "a.png", (1, 2, 3, 4), mode="RGBA")
    pictures.write(tmp_path / "b.png", 9, mode="L")
    found = images(tmp_path)[:]
    assert found[0, 0, 0].tolist() == [1, 2, 3]
    assert found[1, 0, 0].tolist() == [9, 9, 9]


def test_fingerprint_depends_on_files_order_and_options(tmp_path):
    for i in range(3):
        pictures.write(tmp_path / f"{i}.png", i)
    found = images(tmp_path)
    others = [
        found.take(np.array([0, 1])),
        found.take(np.array([0, 2, 1])),
        images(tmp_path, shape=(4, 4, 3)),
        images(tmp_path, resize="pad"),
        images(tmp_path, preprocess="unit"),
    ]
    prints = {x.fingerprint() for x in (found, *others)}
    assert len(prints) == 6
    assert images(tmp_path).fingerprint() == found.fingerprint()
    pictures.write(tmp_path / "0.png", 7)
    assert images(tmp_path).fingerprint() not in prints


def peak_bytes(root):
    found = images(root, (64, 64, 3), preprocess="unit")
    tracemalloc.start()
    for start in range(0, len(found), 16):
        found[start : start + 16]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    for count in (32, 320):
        for i in range(count):
            pictures.write(tmp_path / str(count) / f"{i}.png", size=(64, 64))
    few, many = peak_bytes(tmp_path / "32"), peak_bytes(tmp_path / "320")
    batch_bytes = 16 * 64 * 64 * 3 * 4
    assert many < few + batch_bytes / 4
    assert many < 3 * batch_bytes
