# SPDX-License-Identifier: Apache-2.0
import hashlib
import re

import numpy as np
import pytest
from PIL import Image

from tests.data import pictures
from tflite_opt.data import file_tree, image_files, image_layout
from tflite_opt.records import errors


def read(root):
    tree = file_tree.open_tree(root)
    return image_files.read_headers(tree, tree.names(), "'data'")


def many(root, count):
    for i in range(count):
        pictures.write(root / f"{i:03}.png")


def test_headers_say_sizes_and_whether_all_are_grey(tmp_path):
    pictures.write(tmp_path / "a.png", size=(4, 6), mode="L")
    pictures.write(tmp_path / "b.png", size=(3, 5), mode="1")
    headers = read(tmp_path)
    assert headers.names == ("a.png", "b.png")
    assert headers.sizes.tolist() == [[4, 6], [3, 5]]
    assert headers.are_grey
    pictures.write(tmp_path / "c.jpg")
    assert not read(tmp_path).are_grey


@pytest.mark.parametrize("suffix", image_layout.SUFFIXES)
def test_reads_every_format(tmp_path, suffix):
    mode = "L" if suffix == ".pgm" else "RGB"
    pictures.write(tmp_path / f"a{suffix}", 77, mode=mode)
    files = image_files.ImageFiles(
        file_tree.open_tree(tmp_path), read(tmp_path).names
    )
    image = np.asarray(files.image(0).convert("RGB"))
    assert image.shape == (8, 8, 3)
    assert abs(image.astype(int) - 77).max() <= 1


def test_digest_is_that_of_the_bytes(tmp_path):
    path = pictures.write(tmp_path / "a.png")
    files = image_files.ImageFiles(file_tree.open_tree(tmp_path), ["a.png"])
    expected = hashlib.sha256(path.read_bytes()).digest()
    assert files.digest(0) == files.digest(0) == expected


@pytest.mark.parametrize(
    ("suffix", "damage", "reason"),
    [
        (".png", lambda content: b"", "no image"),
        (".png", lambda content: b"hello", "no image"),
        (".jpg", lambda content: content[: len(content) // 2], "truncated"),
        (".png", lambda content: content[:-30], "truncated"),
        (".bmp", lambda content: content[:20], "Truncated"),
    ],
    ids=["empty", "text", "half a jpeg", "half a png", "header of a bmp"],
)
def test_leaves_out_and_names_a_few_unreadable_images(
    tmp_path, caplog, suffix, damage, reason
):
    many(tmp_path, 100)
    path = tmp_path / f"broken{suffix}"
    pictures.write_noise(path, 0, (32, 32))
    path.write_bytes(damage(path.read_bytes()))
    headers = read(tmp_path)
    assert len(headers.names) == len(headers.sizes) == 100
    assert "Left out unreadable images: 1 of 101 in 'data': " in caplog.text
    assert f"'broken{suffix}': " in caplog.text
    assert reason in caplog.text


def test_more_than_one_percent_unreadable_is_an_error(tmp_path):
    many(tmp_path, 80)
    for i in range(7):
        (tmp_path / f"bad{i}.png").write_text("text")
    with pytest.raises(errors.DataError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        "At most 1 % of the images may be unreadable. Received: 7 of 87 in "
        "'data': 'bad0.png': no image; 'bad1.png': no image; 'bad2.png': no "
        "image; 'bad3.png': no image; 'bad4.png': no image; and 2 more. "
        "Remove or replace them."
    )


def test_a_jpeg_with_bytes_behind_its_end_is_whole(tmp_path):
    path = pictures.write(tmp_path / "a.jpg")
    path.write_bytes(path.read_bytes() + b"appended")
    assert read(tmp_path).names == ("a.jpg",)


@pytest.mark.parametrize("limit", [40, 20], ids=["warning", "error"])
def test_a_decompression_bomb_is_one_error(tmp_path, monkeypatch, limit):
    many(tmp_path, 200)
    pictures.write(tmp_path / "bomb.png", size=(9, 9))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 70 if limit == 40 else 30)
    if limit == 20:
        for path in tmp_path.glob("[0-9]*"):
            pictures.write(path, size=(2, 2))
    with pytest.raises(
        errors.DataError, match=r"at most \d0 pixels. Received: 'bomb.png' in"
    ):
        read(tmp_path)


def test_refuses_16_bits(tmp_path):
    pictures.write(tmp_path / "a.png", 3000, mode="I;16")
    with pytest.raises(
        errors.DataError,
        match=re.escape("Received: 'a.png' of Pillow's mode I;16 in 'data'"),
    ):
        read(tmp_path)


def test_damage_behind_the_header_is_named_when_decoded(tmp_path):
    path = tmp_path / "a.png"
    pictures.write_noise(path, 0, (32, 32))
    content = bytearray(path.read_bytes())
    content[500:520] = bytes(20)
    path.write_bytes(content)
    files = image_files.ImageFiles(
        file_tree.open_tree(tmp_path), read(tmp_path).names
    )
    with pytest.raises(
        errors.DataError, match="Images must be whole. Received: 'a.png': "
    ):
        files.image(0)
