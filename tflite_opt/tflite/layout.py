# SPDX-License-Identifier: Apache-2.0
"""What each byte of a `.tflite` file is for.

Walks all tables of the schema and claims the ranges they refer to. A range
that several parts share counts once, so that the roles add up to the file.

References:
    https://flatbuffers.dev/internals/
"""

import array
import mmap
from collections.abc import Mapping

import numpy as np

from tflite_opt.tflite import checked_table, schema_layout

# In the order of a table; where ranges overlap, the earlier role has them.
ROLES = (
    "weights",
    "biases",
    "constants",
    "sparsity",
    "quantization",
    "shapes",
    "names",
    "structure",
    "metadata",
    "associated files",
    "unused buffers",
    "padding",
)
# What these tables and all below them are for.
_TABLES = {
    "QuantizationParameters": "quantization",
    "SparsityParameters": "sparsity",
    "Metadata": "metadata",
}
_FIELDS = {
    ("Tensor", "Name"): "names",
    ("SubGraph", "Name"): "names",
    ("Tensor", "Shape"): "shapes",
    ("Tensor", "ShapeSignature"): "shapes",
    ("Model", "Description"): "metadata",
    ("Model", "MetadataBuffer"): "metadata",
}
_HEADER_BYTES = 8
_LENGTH_BYTES = 4
_MAX_FILE = 1 << 62
# https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
_ZIP_FILE, _ZIP_END = b"PK\3\4", b"PK\5\6"
_MAX_ZIP_END_BYTES = 22 + 0xFFFF

Range = tuple[int, int]


def bytes_by_role(
    content: mmap.mmap, buffers: Mapping[Range, str]
) -> dict[str, int]:
    """Returns how many bytes of a file each role takes.

    Args:
        content: The whole file.
        buffers: Roles of the buffers that something refers to, by position
            and number of bytes.

    Returns:
        From those of `ROLES` that occur to bytes. They add up to the size of
        the file: `padding` is what aligns the rest, and what nothing refers
        to.

    Raises:
        FormatError: If the file is damaged.
    """
    claims = _Claims()
    claims.add("structure", 0, _HEADER_BYTES)
    for (start, size), role in buffers.items():
        claims.add(role, start, start + size)
    root = checked_table.root(content)
    _claim(claims, root, "Model", "structure")
    start = _start_of_zip(content, claims.end)
    claims.add("associated files", start, len(content))
    return claims.totals(len(content))


class _Claims:
    """Ranges of the file with their roles; far more compact than a list."""

    def __init__(self) -> None:
        self._numbers = array.array("q")
        self.end = 0

    def add(self, role: str, start: int, end: int) -> None:
        """Claims the bytes in [start, end)."""
        self._numbers.extend((start, end, ROLES.index(role)))
        self.end = max(self.end, end)

    def totals(self, size: int) -> dict[str, int]:
        """Returns the bytes of each role; unclaimed ones are padding."""
        claims = np.frombuffer(self._numbers, np.int64).reshape(-1, 3)
        starts, ends, roles = claims[np.lexsort((claims[:, 2], claims[:, 0]))].T
        ends = np.minimum(ends, size)
        known = np.zeros_like(ends)
        known[1:] = np.maximum.accumulate(ends)[:-1]
        fresh = np.maximum(ends - np.maximum(starts, known), 0)
        counts = np.zeros(len(ROLES), "int64")
        np.add.at(counts, roles, fresh)
        counts[ROLES.index("padding")] = size - counts.sum()
        return {
            role: int(count)
            for role, count in zip(ROLES, counts, strict=True)
            if count
        }


def _claim(
    claims: _Claims, table: checked_table.Table, name: str, inherited: str
) -> None:
    role = _TABLES.get(name, inherited)
    for start, end in table.ranges():
        claims.add(role, start, end)
    if name == "Operator":
        # Options too large for a flatbuffer lie behind it.
        start, size = (table.scalar(field, "uint64") for field in (9, 10))
        claims.add(role, min(start, _MAX_FILE), min(start + size, _MAX_FILE))
    for number, field in schema_layout.fields(name).items():
        if field.kind == "scalar":
            continue
        own = _FIELDS.get((name, field.name), role)
        if field.kind == "table":
            below = table.table(number)
            if below is not None:
                _claim(claims, below, field.table, own)
        elif field.kind == "union":
            _claim_union(claims, table, number, field, own)
        else:
            _claim_vector(claims, table, number, field, own)


def _claim_union(
    claims: _Claims,
    table: checked_table.Table,
    number: int,
    field: schema_layout.Field,
    role: str,
) -> None:
    below = table.table(number)
    member = schema_layout.member(
        field.union, table.scalar(number - 1, "uint8")
    )
    if below is None:
        return
    if member is not None:
        _claim(claims, below, member, role)
        return
    # Options of a newer schema than the installed one.
    for start, end in below.ranges():
        claims.add(role, start, end)


def _claim_vector(
    claims: _Claims,
    table: checked_table.Table,
    number: int,
    field: schema_layout.Field,
    role: str,
) -> None:
    item_bytes = 1 if field.kind == "string" else field.size
    start, length = table.extent(number, item_bytes)
    if not start:
        return
    if field.kind == "tables":
        claims.add(role, start - _LENGTH_BYTES, start + length * field.size)
        for below in table.tables(number):
            _claim(claims, below, field.table, role)
    elif field.kind == "string":
        # With the zero that ends it.
        claims.add(role, start - _LENGTH_BYTES, start + length + 1)
    elif field.name == "Data":
        # A buffer's bytes: those that nothing refers to are not yet claimed.
        claims.add("structure", start - _LENGTH_BYTES, start)
        claims.add("unused buffers", start, start + length)
    else:
        claims.add(role, start - _LENGTH_BYTES, start + length * field.size)


def _start_of_zip(content: mmap.mmap, end: int) -> int:
    """Returns where associated files begin; the file's size without them.

    Nothing but a zip may follow the model, so that its first file begins
    where the first of its signatures is.
    """
    size = len(content)
    directory_end = content.rfind(
        _ZIP_END, max(end, size - _MAX_ZIP_END_BYTES), size
    )
    start = content.find(_ZIP_FILE, end, max(directory_end, end))
    return size if start == -1 else start
