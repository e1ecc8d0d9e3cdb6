# SPDX-License-Identifier: Apache-2.0
"""Image files: which can be read, how large they are, and their pixels.

Knows nothing of classes, of sizes that a model wants, or of batches.
"""

import contextlib
import dataclasses
import hashlib
import logging
import os
import struct
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from tflite_opt.data import file_tree, parallel
from tflite_opt.records import errors

_LOG = logging.getLogger(__name__)

# Decoders that need no other program and no network.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

_GREY_MODES = ("1", "L", "LA")
_COLOUR_MODES = ("P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")

# What whole files of a format end with. Others may be whole too.
_ENDINGS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}

# Pillow's decoders raise these on damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

_MAX_UNREADABLE_FRACTION = 0.01
_MAX_NAMED = 5


class ImageFiles:
    """Images by their position in a list of names.

    Attributes:
        names: Paths inside the tree.
    """

    def __init__(self, tree: file_tree.FileTree, names: Sequence[str]) -> None:
        self._tree = tree
        self.names = tuple(names)
        self._digests: dict[int, bytes] = {}

    def image(self, position: int) -> Image.Image:
        """Returns a decoded image, in the mode of its file.

        Raises:
            DataError: If the file is damaged behind its header.
        """
        name = self.names[position]
        try:
            with _opened(self._tree, name) as image:
                image.load()
                return image
        except _DAMAGE as error:
            raise errors.DataError(
                f"Images must be whole. Received: {name!r}: {error}. Remove "
                "or replace it."
            ) from error

    def digest(self, position: int) -> bytes:
        """Returns the SHA-256 of a file's bytes."""
        if position not in self._digests:
            with self._tree.open(self.names[position]) as file:
                content = file.read()
            self._digests[position] = hashlib.sha256(content).digest()
        return self._digests[position]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Headers:
    """What the headers of readable images say.

    Attributes:
        names: Of the readable images, in the given order.
        sizes: Height and width of each, shape `(n, 2)`, int32.
        are_grey: Whether none of them has colours.
    """

    names: tuple[str, ...]
    sizes: np.ndarray
    are_grey: bool


def read_headers(
    tree: file_tree.FileTree, names: Sequence[str], where: str
) -> Headers:
    """Opens every image and leaves out what cannot be read.

    Only headers are decoded; a file that does not end as its format demands
    is decoded whole. A warning names what is left out.

    Args:
        tree: Where the images are.
        names: Of the images, at least one.
        where: What errors call the tree.

    Raises:
        DataError: If more than 1 % cannot be read, one is too large to be an
            honest image, or one has no 8-bit pixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        found = parallel.map_items(
            lambda name: _read_header(tree, name, where), names
        )
    unreadable = {
        name: header
        for name, header in zip(names, found, strict=True)
        if isinstance(header, str)
    }
    _report_unreadable(unreadable, len(names), where)
    readable = [header for header in found if not isinstance(header, str)]
    return Headers(
        names=tuple(name for name in names if name not in unreadable),
        sizes=np.array([header[:2] for header in readable], np.int32),
        are_grey=all(header[2] in _GREY_MODES for header in readable),
    )


def _read_header(
    tree: file_tree.FileTree, name: str, where: str
) -> tuple[int, int, str] | str:
    """Returns height, width and mode, or why the file cannot be read."""
    try:
        with tree.open(name) as file:
            image = Image.open(file, formats=_FORMATS)
            header = image.height, image.width, image.mode
            ending = _ENDINGS.get(image.format or "", b"")
            file.seek(-len(ending), os.SEEK_END)
            is_whole = file.read() == ending
        if not is_whole:
            with _opened(tree, name) as whole:
                whole.load()
    except _BOMBS as error:
        raise errors.DataError(
            f"An image may have at most {Image.MAX_IMAGE_PIXELS} pixels. "
            f"Received: {name!r} in {where}: {error}"
        ) from error
    except _DAMAGE as error:
        # Pillow's own words on a file it does not know hold an address.
        unknown = isinstance(error, Image.UnidentifiedImageError)
        return "no image" if unknown else str(error)
    if header[2] not in _GREY_MODES + _COLOUR_MODES:
        raise errors.DataError(
            "Images must have 8 bits a colour. "
            f"Received: {name!r} of Pillow's mode {header[2]} in {where}. "
            "Convert them, or use npz:FILE."
        )
    return header


@contextlib.contextmanager
def _opened(tree: file_tree.FileTree, name: str) -> Iterator[Image.Image]:
    # Pillow does not close a file that it did not open.
    with tree.open(name) as file:
        yield Image.open(file, formats=_FORMATS)


def _report_unreadable(
    unreadable: dict[str, str], count: int, where: str
) -> None:
    if not unreadable:
        return
    named = [f"{n!r}: {unreadable[n]}" for n in list(unreadable)[:_MAX_NAMED]]
    if len(unreadable) > _MAX_NAMED:
        named.append(f"and {len(unreadable) - _MAX_NAMED} more")
    text = f"{len(unreadable)} of {count} in {where}: {'; '.join(named)}"
    if len(unreadable) > _MAX_UNREADABLE_FRACTION * count:
        raise errors.DataError(
            "At most 1 % of the images may be unreadable. "
            f"Received: {text}. Remove or replace them."
        )
    _LOG.warning("Left out unreadable images: %s", text)
