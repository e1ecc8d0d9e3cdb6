# SPDX-License-Identifier: Apache-2.0
"""What lies behind the flatbuffer of a `.tflite` file, and how to move it.

Buffers too large for a flatbuffer and the zip of associated files (labels,
vocabularies) may follow it. Anything else there belongs to someone who may
find it by its position, so a file with such content must not be rewritten.

References:
    https://ai.google.dev/edge/litert/models/metadata
    https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

import hashlib
import struct
from collections.abc import Hashable

from tflite_opt.tflite import checked_table

_END = struct.Struct("<4s4H2IH")
_END_SIGNATURE = b"PK\5\6"
_MAX_COMMENT_BYTES = 0xFFFF
# Of one entry of the directory: lengths of its three texts, then the position
# of its file.
_ENTRY = struct.Struct("<4s24x3H8xI")
_ENTRY_SIGNATURE = b"PK\1\2"
_FILE_SIGNATURE = b"PK\3\4"
# What the tools that write metadata align stored files to divides it.
_ALIGN = 16


class UnknownContentError(Exception):
    """Content that cannot be moved; the message says why."""


class Outside:
    """New places for content that buffers and operations have there.

    Attributes:
        parts: First byte and one past the last, in the original, of what must
            come at the new places, in this order.
        regions: Likewise, of everything that was looked at.
        saved_bytes: What equal parts would have taken.
    """

    def __init__(self, content: memoryview, base: int, align: int) -> None:
        """Starts with no parts.

        Args:
            content: The original file.
            base: First new place, aligned.
            align: Of each place, in bytes.
        """
        self._content = content
        self._next = base
        self._align = align
        self._places: dict[Hashable, int] = {}
        self._num_bytes = 0
        self.parts: list[tuple[int, int]] = []
        self.regions: list[tuple[int, int]] = []
        self.saved_bytes = 0

    def place(self, start: int, size: int, owner: Hashable) -> int:
        """Returns the new position of some bytes.

        Args:
            start: First byte in the original.
            size: How many.
            owner: Equal parts of different owners are not shared.

        Raises:
            FormatError: If they are not inside the file.
            UnknownContentError: If parts overlap.
        """
        region = start, size, owner
        if region not in self._places:
            self.pass_over(start, size)
            content = self._content[start : start + size]
            equal = hashlib.sha256(content).digest(), size, owner
            if equal in self._places:
                self.saved_bytes += size
            else:
                self._places[equal] = self._next
                self.parts.append((start, start + size))
                self._next += -(-size // self._align) * self._align
            self._places[region] = self._places[equal]
        return self._places[region]

    def pass_over(self, start: int, size: int) -> None:
        """Remembers bytes that are known; raises as `place`."""
        if start + size > len(self._content):
            raise checked_table.FormatError(
                f"it refers to bytes {start} to {start + size}, beyond its "
                f"end at {len(self._content)}"
            )
        self.regions.append((start, start + size))
        self._num_bytes += size
        if self._num_bytes > len(self._content):
            raise UnknownContentError("its parts overlap")


class Zip:
    """The zip at the end of a file.

    Attributes:
        start: Position of its first byte.
    """

    def __init__(self, content: memoryview, directory: int, end: int) -> None:
        self._content = content
        self._end = end
        *_, size, offset, _ = _END.unpack_from(content, end)
        # Readers take the difference as the length of what stands before.
        self._base = directory - offset
        self._entries: list[tuple[int, int]] = []
        position = directory
        while position + _ENTRY.size <= directory + size:
            signature, *lengths, file = _ENTRY.unpack_from(content, position)
            if signature != _ENTRY_SIGNATURE:
                break
            self._entries.append((position + _ENTRY.size - 4, file))
            position += _ENTRY.size + sum(lengths)
        files = [self._base + file for _, file in self._entries]
        self.start = min(files, default=directory)
        # Positions count from the start of the file or from that of the zip.
        if (
            position != directory + size
            or self._base not in (0, self.start)
            or any(content[f : f + 4] != _FILE_SIGNATURE for f in files)
        ):
            raise UnknownContentError("its zip of associated files is damaged")

    def moved(self, end: int) -> bytes:
        """Returns padding and the zip for a place behind position `end`."""
        padding = (self.start - end) % _ALIGN
        distance = end + padding - self.start
        moved = bytearray(self._content[self.start :])
        if self._base == 0:
            position = self._end - self.start + _END.size - 6
            fields = [(position, _END.unpack_from(self._content, self._end)[6])]
            fields += [(at - self.start, file) for at, file in self._entries]
            for at, old in fields:
                struct.pack_into("<I", moved, at, old + distance)
        return bytes(padding) + moved


def _find_zip(content: memoryview, start: int) -> Zip | None:
    """Returns the zip at the end of a file, if there is one.

    Args:
        content: The whole file.
        start: One past the last byte that belongs to the model.

    Raises:
        UnknownContentError: If a zip is there but not intact.
    """
    first = max(start, len(content) - _END.size - _MAX_COMMENT_BYTES)
    tail = bytes(content[first:])
    found = tail.rfind(_END_SIGNATURE)
    if found == -1 or first + found + _END.size > len(content):
        return None
    end = first + found
    *_, size, _, comment = _END.unpack_from(content, end)
    directory = end - size
    if directory < start or end + _END.size + comment != len(content):
        raise UnknownContentError("its zip of associated files is damaged")
    return Zip(content, directory, end)


def _require_nothing_between(
    content: memoryview, regions: list[tuple[int, int]]
) -> None:
    """Checks that only zeros lie between the known parts of a file.

    Args:
        content: The whole file.
        regions: First byte and one past the last of each part; the first one
            begins at 0.

    Raises:
        UnknownContentError: If there is something else.
    """
    known = 0
    for start, end in [*sorted(regions), (len(content), len(content))]:
        if bytes(content[known:start]).strip(b"\0"):
            raise UnknownContentError(
                f"it holds {start - known} bytes of unknown purpose behind "
                "the flatbuffer"
            )
        known = max(known, end)


def known_zip(
    content: memoryview, regions: list[tuple[int, int]]
) -> Zip | None:
    """Returns the zip of a file in which nothing else is unknown.

    Args:
        content: The whole file.
        regions: First byte and one past the last of each known part; the
            first one begins at 0.

    Raises:
        UnknownContentError: If there is something else.
    """
    archive = _find_zip(content, max(end for _, end in regions))
    zips = [(archive.start, len(content))] if archive else []
    _require_nothing_between(content, regions + zips)
    return archive
