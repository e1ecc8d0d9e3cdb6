# SPDX-License-Identifier: Apache-2.0
"""Copies the tables of a `.tflite` into a pool that stores equal parts once.

Every field that the schema knows is copied as it is; the caller says which
ones to replace or leave out. Reads nothing without a check.
"""

from collections.abc import Hashable, Mapping

from tflite_opt.tflite import (
    appended,
    checked_table,
    flatbuffer_pool,
    schema_layout,
)

# For a field: the bytes of its scalar, the number of its new part, or None to
# leave it out.
Replacements = Mapping[str, "bytes | int | None"]


class Copier:
    """Copies from one file.

    Attributes:
        pool: Where the copies are.
        end: One past the last byte that was copied.
        saved_bytes: What equal vectors and strings would have taken.
    """

    def __init__(self, content: memoryview, pool: flatbuffer_pool.Pool) -> None:
        self._content = content
        self._copied: dict[tuple[str, int], int] = {}
        self._vectors: dict[Hashable, int] = {}
        self._vector_bytes = 0
        self.pool = pool
        self.end = 0
        self.saved_bytes = 0

    def table(
        self,
        table: checked_table.Table,
        kind: str,
        replacements: Replacements | None = None,
    ) -> int:
        """Returns the number of a table's copy.

        Args:
            table: Where it is.
            kind: Its name in the schema.
            replacements: By name of the field.

        Raises:
            FormatError: If it is damaged.
            UnknownContentError: If it holds what the schema does not know.
        """
        key = kind, table.position
        if replacements is None and key in self._copied:
            return self._copied[key]
        self.pass_over(table)
        fields = schema_layout.fields(kind)
        scalars: dict[int, bytes] = {}
        children: dict[int, int] = {}
        for slot in table.present():
            field = fields.get(slot)
            if field is None:
                raise appended.UnknownContentError(
                    f"its {kind} table has a field {slot} that the installed "
                    "runtime does not know"
                )
            if replacements is not None and field.name in replacements:
                if field.kind in ("string", "numbers"):
                    self.skip(table, kind, field.name)
                continue
            if field.kind == "scalar":
                scalars[slot] = table.raw(slot, field.size)
            else:
                children[slot] = self._child(table, kind, slot, field)
        for name, value in (replacements or {}).items():
            if isinstance(value, bytes):
                scalars[schema_layout.slot(kind, name)] = value
            elif value is not None:
                children[schema_layout.slot(kind, name)] = value
        number = self.pool.table(
            {i: s for i, s in scalars.items() if s != fields[i].default},
            children,
        )
        if replacements is None:
            self._copied[key] = number
        return number

    def pass_over(self, table: checked_table.Table) -> None:
        """Counts a table that is not copied, without what it refers to."""
        self.end = max(self.end, *(stop for _, stop in table.ranges()))

    def skip(self, table: checked_table.Table, kind: str, name: str) -> int:
        """Passes over a vector or string that is not copied.

        Args:
            table: What it is a field of.
            kind: The table's name in the schema.
            name: Of the field.

        Returns:
            How many bytes it takes; 0 if it is absent.
        """
        slot = schema_layout.slot(kind, name)
        field = schema_layout.fields(kind)[slot]
        start, length = table.extent(slot, field.size)
        if not start:
            return 0
        num_bytes = length * field.size + (field.kind == "string")
        self.end = max(self.end, start + num_bytes)
        return _padded(num_bytes)

    def _child(
        self,
        table: checked_table.Table,
        kind: str,
        slot: int,
        field: schema_layout.Field,
    ) -> int:
        if field.kind == "string":
            return self.vector(table, slot, terminated=True)
        if field.kind == "numbers":
            align = max(4, field.size)
            return self.vector(table, slot, field.size, align=align)
        if field.kind == "tables":
            found = [self.table(t, field.table) for t in table.tables(slot)]
            return self.vector_of_tables(table, slot, found)
        name: str | None = field.table
        if field.kind == "union":
            code = table.scalar(slot - 1, "uint8")
            name = schema_layout.member(field.union, code)
            if name is None:
                raise appended.UnknownContentError(
                    f"its {kind} table has {field.name} {code} that the "
                    "installed runtime does not know"
                )
        child = table.table(slot)
        if child is None or name is None:
            raise checked_table.FormatError(f"a {kind} table is damaged")
        return self.table(child, name)

    def vector_of_tables(
        self, table: checked_table.Table, slot: int, copies: list[int]
    ) -> int:
        """Returns the number of a vector of copies of a field's tables."""
        start, length = table.extent(slot, 4)
        self.end = max(self.end, start + 4 * length)
        return self.pool.offsets(copies)

    def vector(
        self,
        table: checked_table.Table,
        slot: int,
        size: int = 1,
        *,
        align: int = 4,
        owner: Hashable = None,
        terminated: bool = False,
    ) -> int:
        """Returns the number of the copy of a vector of numbers or a string.

        Args:
            table: What it is a field of.
            slot: Number of the field.
            size: Bytes of one number.
            align: As for the pool.
            owner: As for the pool.
            terminated: Whether it is a string.

        Raises:
            FormatError: If it is outside the file.
            UnknownContentError: If vectors overlap.
        """
        start, length = table.extent(slot, size)
        num_bytes = length * size
        key = start, length, size, align, owner, terminated
        if key in self._vectors:
            return self._vectors[key]
        # No tool makes such files, and what a damaged one has many times over
        # in each of its bytes could fill the memory.
        self._vector_bytes += num_bytes
        if self._vector_bytes > len(self._content):
            raise appended.UnknownContentError("its parts overlap")
        self.end = max(self.end, start + num_bytes + terminated)
        before = self.pool.num_parts
        content = self._content[start : start + num_bytes]
        if terminated:
            number = self.pool.string(bytes(content))
        else:
            number = self.pool.vector(content, length, align=align, owner=owner)
        if number < before:
            self.saved_bytes += _padded(num_bytes + terminated)
        self._vectors[key] = number
        return number


def _padded(num_bytes: int) -> int:
    """Returns what a vector takes with its length and padding."""
    return 4 + -(-num_bytes // 4) * 4
