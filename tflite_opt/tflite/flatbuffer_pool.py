# SPDX-License-Identifier: Apache-2.0
"""Writes a flatbuffer in which equal parts are stored once.

Parts are added from the leaves to the root, and what is equal to an earlier
part is that part. Knows the encoding of flatbuffers, not the schema of
`.tflite`.

References:
    https://flatbuffers.dev/internals/
"""

import dataclasses
import hashlib
import struct
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

_UINT32 = struct.Struct("<I")
_INT32 = struct.Struct("<i")
_OFFSET_BYTES = 4
_HEADER_BYTES = 8
# Longer contents are told apart by their hashes, so that they are not held.
_MAX_KEY_BYTES = 64
_MAX_SMALL_BYTES = 1024


class Vector(NamedTuple):
    """Numbers or the characters of a string, after their count."""

    length: int
    content: memoryview
    num_bytes: int
    align: int

    @property
    def size(self) -> int:
        """Bytes in the file, padded to the next offset."""
        return _OFFSET_BYTES + -(-self.num_bytes // 4) * 4


@dataclasses.dataclass(frozen=True, slots=True)
class _Offsets:
    """A vector of references."""

    children: tuple[int, ...]

    @property
    def size(self) -> int:
        return _OFFSET_BYTES * (1 + len(self.children))


@dataclasses.dataclass(frozen=True, slots=True)
class _Table:
    """A table: its fields, largest first, at the offsets its vtable tells."""

    vtable: tuple[int, ...]
    scalars: tuple[tuple[int, bytes], ...]
    children: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        return self.vtable[1]

    @property
    def wide(self) -> bool:
        """Whether it holds numbers of eight bytes."""
        return any(len(content) == 8 for _, content in self.scalars)


class Pool:
    """The parts of one flatbuffer, each known by its number."""

    def __init__(self) -> None:
        self._parts: list[Vector | _Offsets | _Table] = []
        self._numbers: dict[Hashable, int] = {}

    @property
    def num_parts(self) -> int:
        """How many different parts there are."""
        return len(self._parts)

    def string(self, content: bytes) -> int:
        """Adds a string, without its final zero."""
        return self.vector(content + b"\0", len(content))

    def vector(
        self,
        content: bytes | memoryview,
        count: int,
        *,
        align: int = 4,
        owner: Hashable = None,
    ) -> int:
        """Adds a vector of numbers.

        Args:
            content: Its bytes, which must not change before `write`.
            count: Its length.
            align: Of the first number in the file, a power of two from 4.
            owner: Vectors of different owners are not shared.
        """
        view = memoryview(content)
        key: Hashable = bytes(view)
        if len(view) > _MAX_KEY_BYTES:
            key = hashlib.sha256(view).digest()
        part = Vector(count, view, len(view), align if len(view) else 4)
        return self._number((key, len(view), count, part.align, owner), part)

    def offsets(self, children: Sequence[int]) -> int:
        """Adds a vector of tables."""
        part = _Offsets(tuple(children))
        return self._number(part, part)

    def table(
        self, scalars: Mapping[int, bytes], children: Mapping[int, int]
    ) -> int:
        """Adds a table.

        Args:
            scalars: Bytes of each number that is not its default, by field.
            children: Number of each string, vector or table, by field.
        """
        sizes = dict.fromkeys(children, _OFFSET_BYTES)
        sizes |= {slot: len(content) for slot, content in scalars.items()}
        vtable = [0] * (max(sizes, default=-1) + 1)
        end = 4
        for slot in sorted(sizes, key=lambda slot: (-sizes[slot], slot)):
            vtable[slot] = end
            end += sizes[slot]
        part = _Table(
            vtable=(4 + 2 * len(vtable), end, *vtable),
            scalars=tuple((vtable[i], scalars[i]) for i in sorted(scalars)),
            children=tuple((vtable[i], children[i]) for i in sorted(children)),
        )
        return self._number(part, part)

    def _number(self, key: Hashable, part: Vector | _Offsets | _Table) -> int:
        number = self._numbers.setdefault(key, len(self._parts))
        if number == len(self._parts):
            self._parts.append(part)
        return number

    def write(self, root: int, identifier: bytes) -> bytearray:
        """Returns the flatbuffer of all parts.

        Args:
            root: A table to which all parts belong.
            identifier: Four bytes.
        """
        vtables, end = self._place_vtables()
        places, end = self._place(end)
        content = bytearray(end)
        _UINT32.pack_into(content, 0, places[root])
        content[4:_HEADER_BYTES] = identifier
        for vtable, place in vtables.items():
            struct.pack_into(f"<{len(vtable)}H", content, place, *vtable)
        for number, part in enumerate(self._parts):
            place = places[number]
            if isinstance(part, Vector):
                start = place + _OFFSET_BYTES
                _UINT32.pack_into(content, place, part.length)
                content[start : start + part.num_bytes] = part.content
                continue
            references: Sequence[tuple[int, int]]
            if isinstance(part, _Offsets):
                _UINT32.pack_into(content, place, len(part.children))
                references = [
                    (_OFFSET_BYTES * i, child)
                    for i, child in enumerate(part.children, 1)
                ]
            else:
                _INT32.pack_into(content, place, place - vtables[part.vtable])
                for offset, scalar in part.scalars:
                    start = place + offset
                    content[start : start + len(scalar)] = scalar
                references = part.children
            for offset, child in references:
                start = place + offset
                _UINT32.pack_into(content, start, places[child] - start)
        return content

    def _place_vtables(self) -> tuple[dict[tuple[int, ...], int], int]:
        places: dict[tuple[int, ...], int] = {}
        end = _HEADER_BYTES
        for part in self._parts:
            if isinstance(part, _Table) and part.vtable not in places:
                places[part.vtable] = end
                end += part.vtable[0]
        return places, end

    def _place(self, end: int) -> tuple[list[int], int]:
        """Returns where each part begins, and where the last one ends."""
        places = [0] * len(self._parts)
        # References point forward, and a part is added after those it refers
        # to.
        for number in reversed(range(len(self._parts))):
            part = self._parts[number]
            if isinstance(part, Vector):
                continue
            end = -(-end // 4) * 4
            if isinstance(part, _Table) and part.wide and end % 8 == 0:
                end += 4
            places[number] = end
            end += part.size
        vectors = {
            number: part
            for number, part in enumerate(self._parts)
            if isinstance(part, Vector)
        }
        return places, _place_vectors(vectors, places, -(-end // 4) * 4)


def _place_vectors(
    vectors: Mapping[int, Vector], places: list[int], end: int
) -> int:
    """Places vectors so that small ones fill the gaps of alignment.

    Large ones come last and keep their gaps: small ones scattered among them
    make the file compress worse by more than the gaps take.

    Args:
        vectors: By number.
        places: Gets where each begins.
        end: First free position, a multiple of 4.

    Returns:
        One past the last byte.
    """
    # By what is left of their size when whole lines of 16 bytes are taken off.
    fillers: dict[int, list[int]] = {0: [], 4: [], 8: [], 12: []}
    small, large = [], []
    for number, vector in vectors.items():
        if vector.size > _MAX_SMALL_BYTES:
            large.append(number)
        elif vector.align == 4:
            fillers[vector.size % 16].append(number)
        else:
            small.append(number)
    for group in fillers.values():
        group.reverse()
    for number in sorted(small, key=lambda n: -vectors[n].align):
        align = vectors[number].align
        while gap := -(end + _OFFSET_BYTES) % align:
            rests = (4, 12) if align == 8 else range(gap, 0, -4)
            chosen = next((fillers[r] for r in rests if fillers[r]), None)
            if chosen is None:
                end += gap
                break
            places[chosen[-1]] = end
            end += vectors[chosen.pop()].size
        places[number] = end
        end += vectors[number].size
    left = sorted(number for group in fillers.values() for number in group)
    for number in left + large:
        end += -(end + _OFFSET_BYTES) % vectors[number].align
        places[number] = end
        end += vectors[number].size
    return end
