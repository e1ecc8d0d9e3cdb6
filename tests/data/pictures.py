# SPDX-License-Identifier: Apache-2.0
"""Tiny image files."""

import pathlib
import zipfile

import numpy as np
from PIL import Image


def write(
    path: pathlib.Path,
    value: int | tuple[int, ...] = 0,
    size: tuple[int, int] = (8, 8),
    mode: str = "RGB",
) -> pathlib.Path:
    """Writes an image of one colour; `size` is height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = value
    if mode == "RGB" and isinstance(value, int):
        colour = (value, value, value)
    Image.new(mode, size[::-1], colour).save(path)
    return path


def write_noise(
    path: pathlib.Path, seed: int, size: tuple[int, int] = (8, 8)
) -> np.ndarray:
    """Writes an image of random pixels and returns them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def write_classes(
    root: pathlib.Path,
    classes: tuple[str, ...] = ("cat", "dog"),
    count: int = 6,
) -> pathlib.Path:
    """Writes `count` grey-looking colour images into each class folder."""
    for index, name in enumerate(classes):
        for i in range(count):
            write(root / name / f"{i}.png", 100 * index + i)
    return root


def zipped(root: pathlib.Path, archive: pathlib.Path) -> pathlib.Path:
    """Packs all files below `root`."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(root.rglob("*")):
            file.write(path, path.relative_to(root))
    return archive
