# SPDX-License-Identifier: Apache-2.0
"""Flatbuffer tables read without trusting any offset or length in them.

Knows the encoding of flatbuffers, not the schema of `.tflite`. The generated
accessors of a schema follow whatever offset a damaged file holds and loop over
whatever length it claims; here each access is checked against the size of the
file, and the sum of all that is read is limited.

References:
    https://flatbuffers.dev/internals/
"""

import mmap
import struct

import numpy as np

_UINT16 = struct.Struct("<H")
_INT32 = struct.Struct("<i")
_UINT32 = struct.Struct("<I")
_SCALARS = {
    "int8": struct.Struct("<b"),
    "uint8": struct.Struct("<B"),
    "int32": _INT32,
    "uint32": _UINT32,
    "uint64": struct.Struct("<Q"),
}

# Tables may be shared, so a small damaged file can describe a huge model. One
# unit is about one number read; real files need several bytes for each, and
# those with 100 000 tensors stay below the maximum.
_FREE_WORK = 1 << 16
_MAX_WORK = 4_000_000
_WORK_PER_TABLE = 8
_CHARACTERS_PER_WORK = 16


class FormatError(ValueError):
    """The bytes are not a valid flatbuffer; the message says why."""


class _Reader:
    """Bounds-checked access to the bytes, with a limit on the total work."""

    __slots__ = ("content", "size", "_work_left")

    def __init__(self, content: "bytes | mmap.mmap") -> None:
        self.content = content
        self.size = len(content)
        self._work_left = min(_MAX_WORK, _FREE_WORK + self.size)

    def require(self, start: int, length: int) -> None:
        """Checks that `length` bytes at `start` are inside the file."""
        if start < 0 or length < 0 or start + length > self.size:
            raise FormatError(
                f"it refers to bytes {start} to {start + length}, beyond its "
                f"end at {self.size}"
            )

    def charge(self, work: int) -> None:
        """Counts work against the limit."""
        self._work_left -= work
        if self._work_left < 0:
            raise FormatError("it describes more than a real model can have")

    def number(self, kind: struct.Struct, position: int) -> int:
        """Returns one number."""
        self.require(position, kind.size)
        return kind.unpack_from(self.content, position)[0]

    def follow(self, position: int) -> int:
        """Returns where the unsigned offset stored at `position` leads."""
        return position + self.number(_UINT32, position)


class Table:
    """One flatbuffer table; fields are addressed by their number.

    All methods raise `FormatError` when the bytes do not make sense.
    """

    __slots__ = ("_reader", "_position", "_vtable", "_vtable_bytes")

    def __init__(self, reader: _Reader, position: int) -> None:
        reader.charge(_WORK_PER_TABLE)
        self._reader = reader
        self._position = position
        self._vtable = position - reader.number(_INT32, position)
        self._vtable_bytes = reader.number(_UINT16, self._vtable)
        reader.require(self._vtable, self._vtable_bytes)

    def ranges(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Returns where the table and its vtable begin and end."""
        size = self._reader.number(_UINT16, self._vtable + 2)
        self._reader.require(self._position, size)
        return (
            (self._position, self._position + size),
            (self._vtable, self._vtable + self._vtable_bytes),
        )

    def _locate(self, field: int) -> int | None:
        """Returns the position of a field's bytes; None when it is absent."""
        entry = 4 + 2 * field
        if entry + 2 > self._vtable_bytes:
            return None
        offset = self._reader.number(_UINT16, self._vtable + entry)
        return self._position + offset if offset else None

    @property
    def position(self) -> int:
        """Where it is in the file."""
        return self._position

    def present(self) -> tuple[int, ...]:
        """Returns the numbers of the fields it holds."""
        count = max(self._vtable_bytes - 4, 0) // 2
        self._reader.charge(count)
        return tuple(i for i in range(count) if self._locate(i) is not None)

    def raw(self, field: int, size: int) -> bytes:
        """Returns the bytes of a number that is present."""
        position = self._locate(field)
        if position is None:
            raise FormatError(f"it holds no field {field}")
        self._reader.require(position, size)
        return self._reader.content[position : position + size]

    def scalar(self, field: int, kind: str, default: int = 0) -> int:
        """Returns a number; `kind` is its numpy name."""
        position = self._locate(field)
        if position is None:
            return default
        return self._reader.number(_SCALARS[kind], position)

    def table(self, field: int) -> "Table | None":
        """Returns a table; None when it is absent."""
        position = self._locate(field)
        if position is None:
            return None
        return Table(self._reader, self._reader.follow(position))

    def extent(self, field: int, item_bytes: int = 1) -> tuple[int, int]:
        """Returns the position and length of a vector; (0, 0) if absent."""
        position = self._locate(field)
        if position is None:
            return 0, 0
        start = self._reader.follow(position)
        length = self._reader.number(_UINT32, start)
        self._reader.require(start + 4, length * item_bytes)
        return start + 4, length

    def tables(self, field: int) -> "list[Table]":
        """Returns the tables of a vector; empty when it is absent."""
        start, length = self.extent(field, 4)
        self._reader.charge(length)
        return [
            Table(self._reader, self._reader.follow(start + 4 * i))
            for i in range(length)
        ]

    def numbers(self, field: int, dtype: str) -> np.ndarray:
        """Returns a vector of numbers.

        Returns:
            Shape (length,), a read-only view of the file.
        """
        item = np.dtype(dtype).newbyteorder("<")
        start, length = self.extent(field, item.itemsize)
        self._reader.charge(1)
        if not length:
            return np.empty(0, item)
        return np.frombuffer(self._reader.content, item, length, start)

    def integers(self, field: int) -> tuple[int, ...]:
        """Returns a vector of int32."""
        numbers = self.numbers(field, "int32")
        self._reader.charge(len(numbers))
        return tuple(numbers.tolist())

    def text(self, field: int) -> str:
        """Returns a string; bytes that are not UTF-8 become U+FFFD."""
        start, length = self.extent(field)
        self._reader.charge(1 + length // _CHARACTERS_PER_WORK)
        content = self._reader.content[start : start + length]
        return content.decode(errors="replace")


def root(content: "bytes | mmap.mmap") -> Table:
    """Returns the root table of a flatbuffer.

    Raises:
        FormatError: If the content is too short for one.
    """
    reader = _Reader(content)
    return Table(reader, reader.follow(0))
