# SPDX-License-Identifier: Apache-2.0
"""A `.tflite` without what no inference reads, ready to be written.

Owns what is left out and what may be shared. Knows nothing of files, and of
the encoding only what the pool offers.
"""

import struct
from collections.abc import Hashable

from tflite_opt.tflite import (
    appended,
    checked_table,
    flatbuffer,
    flatbuffer_pool,
    rewriting,
    schema_layout,
)

_IDENTIFIER = b"TFL3"
# Kernels may read constants with vector instructions.
CONSTANT_ALIGN = 16
# Behind any flatbuffer, when its end is not known yet.
SOMEWHERE = 1 << 40
# Environment and options of the converter.
LEFTOVER_METADATA = frozenset({"CONVERSION_METADATA"})
# Buffers with a smaller offset are inside the flatbuffer; 1 is a placeholder.
_MIN_OFFSET = 2
# Custom operations may read their options as a C structure.
_OPTIONS_ALIGN = 8

_slot = schema_layout.slot


def interface(model: flatbuffer.Model) -> frozenset[tuple[int, int]]:
    """Returns the tensors whose names are used from outside, by indices.

    They are the inputs and outputs of what can be called, and the tensors that
    keep their values between inferences.
    """
    kept = set()
    called = {0} | {signature.subgraph for signature in model.signatures}
    for index, graph in enumerate(model.subgraphs):
        if index in called:
            kept |= {(index, i) for i in (*graph.inputs, *graph.outputs)}
        for position, tensor in enumerate(graph.tensors):
            if tensor.is_variable:
                kept.add((index, position))
    for signature in model.signatures:
        for _, position in (*signature.inputs, *signature.outputs):
            kept.add((signature.subgraph, position))
    return frozenset(kept)


class SlimCopy:
    """The parts of the new file.

    Attributes:
        root: Number of the model in the pool.
        outside: First byte and one past the last, in the original, of what
            comes behind the flatbuffer, in this order, each aligned.
        regions: Likewise, of everything in the original that is known; the
            first one is the flatbuffer.
        dropped_names: Names of tensors that were left out.
        saved_bytes: By what was saved, layout excluded.
    """

    def __init__(
        self,
        model: flatbuffer.Model,
        base: int = SOMEWHERE,
        pool: flatbuffer_pool.Pool | None = None,
    ) -> None:
        """Copies a model.

        Args:
            model: The original.
            base: Where in the new file the first of `outside` comes.
            pool: Where the copy goes; None for one of its own.

        Raises:
            FormatError: If the file is damaged.
            UnknownContentError: If it must be left as it is.
        """
        self._model = model
        self._content = memoryview(model.content)
        if pool is None:
            pool = flatbuffer_pool.Pool()
        self._copier = rewriting.Copier(self._content, pool)
        self._interface = interface(model)
        self._outside = appended.Outside(self._content, base, CONSTANT_ALIGN)
        self._buffer_indices: dict[int, int] = {}
        self.dropped_names: dict[tuple[int, int], str] = {}
        self.saved_bytes: dict[str, int] = {}
        root = checked_table.root(model.content)
        self.root = self._copier.table(
            root,
            "Model",
            {
                "Buffers": self._buffers(root),
                "Metadata": self._metadata(root),
                "Subgraphs": self._subgraphs(root),
            },
        )
        self._save(
            "equal parts", self._copier.saved_bytes + self._outside.saved_bytes
        )
        self.outside = self._outside.parts
        self.regions = [(0, self._copier.end), *self._outside.regions]

    def write(self) -> bytearray:
        """Returns the flatbuffer."""
        return self._copier.pool.write(self.root, _IDENTIFIER)

    def _save(self, category: str, num_bytes: int) -> None:
        if num_bytes:
            known = self.saved_bytes.get(category, 0)
            self.saved_bytes[category] = known + num_bytes

    def _buffers(self, root: checked_table.Table) -> int | None:
        owners = self._owners()
        leftover: set[int] = set()
        used = {0} | owners.keys()
        for name, index in self._model.metadata:
            (leftover if name in LEFTOVER_METADATA else used).add(index)
        # What names buffers in ways that cannot be seen needs them in place.
        fixed = bool(root.integers(_slot("Model", "MetadataBuffer"))) or any(
            operator.is_custom
            for graph in self._model.subgraphs
            for operator in graph.operators
        )
        copies: list[int] = []
        indices: dict[int, int] = {}
        for index, table in enumerate(root.tables(_slot("Model", "Buffers"))):
            if index in used or (fixed and index not in leftover):
                copy = self._buffer(table, owners.get(index))
            else:
                self._pass_over_buffer(table, index in leftover)
                if not fixed:
                    continue
                copy = self._copier.pool.table({}, {})
            if fixed or copy not in indices:
                indices[copy] = len(copies)
                copies.append(copy)
            self._buffer_indices[index] = indices[copy]
        return self._vector(root, "Model", "Buffers", copies)

    def _owners(self) -> dict[int, Hashable]:
        """Returns, for each buffer of a tensor, with which it may be shared.

        Delegates keep packed weights by their address, and in packed weights
        are the scales too: equal integers with different scales must not be at
        the same address.
        """
        users: dict[int, set[Hashable]] = {}
        first: dict[int, Hashable] = {}
        for index, graph in enumerate(self._model.subgraphs):
            for position, tensor in enumerate(graph.tensors):
                plain = not len(tensor.scale) and tensor.scales_tensor == -1
                user = (tensor.dtype, tensor.shape) if plain else None
                users.setdefault(tensor.buffer, set()).add(user)
                first.setdefault(tensor.buffer, (index, position))
        for buffer, found in users.items():
            if len(found) == 1 and None not in found:
                first[buffer] = next(iter(found))
        return first

    def _buffer(self, table: checked_table.Table, owner: Hashable) -> int:
        data = _slot("Buffer", "Data")
        if table.scalar(_slot("Buffer", "Offset"), "uint64") >= _MIN_OFFSET:
            place = self._place(table, "Buffer", "Offset", "Size", owner)
            return self._copier.table(table, "Buffer", {"Offset": place})
        if data not in table.present():
            return self._copier.table(table, "Buffer")
        vector = self._copier.vector(
            table, data, align=CONSTANT_ALIGN, owner=owner
        )
        return self._copier.table(table, "Buffer", {"Data": vector})

    def _pass_over_buffer(
        self, table: checked_table.Table, leftover: bool
    ) -> None:
        self._copier.pass_over(table)
        start = table.scalar(_slot("Buffer", "Offset"), "uint64")
        size = table.scalar(_slot("Buffer", "Size"), "uint64")
        if start >= _MIN_OFFSET:
            self._outside.pass_over(start, size)
        else:
            size = self._copier.skip(table, "Buffer", "Data")
        category = "conversion metadata" if leftover else "unused buffers"
        self._save(category, size)

    def _place(
        self,
        table: checked_table.Table,
        kind: str,
        offset: str,
        length: str,
        owner: Hashable = None,
    ) -> bytes:
        """Returns the new offset of content behind the flatbuffer."""
        start = table.scalar(_slot(kind, offset), "uint64")
        size = table.scalar(_slot(kind, length), "uint64")
        return struct.pack("<Q", self._outside.place(start, size, owner))

    def _metadata(self, root: checked_table.Table) -> int | None:
        copies = []
        tables = root.tables(_slot("Model", "Metadata"))
        entries = zip(self._model.metadata, tables, strict=True)
        for (name, buffer), table in entries:
            if name in LEFTOVER_METADATA:
                self._copier.pass_over(table)
                skipped = self._copier.skip(table, "Metadata", "Name")
                self._save("conversion metadata", skipped)
                continue
            index = struct.pack("<I", self._buffer_indices[buffer])
            copies.append(
                self._copier.table(table, "Metadata", {"Buffer": index})
            )
        return self._vector(root, "Model", "Metadata", copies)

    def _subgraphs(self, root: checked_table.Table) -> int | None:
        copies = []
        for index, graph in enumerate(root.tables(_slot("Model", "Subgraphs"))):
            tables = graph.tables(_slot("SubGraph", "Tensors"))
            tensors = [
                self._tensor(table, index, position)
                for position, table in enumerate(tables)
            ]
            tables = graph.tables(_slot("SubGraph", "Operators"))
            operators = [self._operator(table) for table in tables]
            changes = {
                name: self._vector(graph, "SubGraph", name, parts)
                for name, parts in (
                    ("Tensors", tensors),
                    ("Operators", operators),
                )
            }
            copies.append(self._copier.table(graph, "SubGraph", changes))
        return self._vector(root, "Model", "Subgraphs", copies)

    def _vector(
        self,
        table: checked_table.Table,
        kind: str,
        name: str,
        copies: list[int],
    ) -> int | None:
        slot = _slot(kind, name)
        if slot not in table.present():
            return None
        return self._copier.vector_of_tables(table, slot, copies)

    def _tensor(
        self, table: checked_table.Table, subgraph: int, position: int
    ) -> int:
        tensor = self._model.subgraphs[subgraph].tensors[position]
        index = struct.pack("<I", self._buffer_indices[tensor.buffer])
        changes: dict[str, bytes | int | None] = {"Buffer": index}
        if (subgraph, position) not in self._interface:
            skipped = self._copier.skip(table, "Tensor", "Name")
            self._save("tensor names", skipped)
            changes["Name"] = None
            if tensor.name:
                self.dropped_names[subgraph, position] = tensor.name
        parameters = table.table(_slot("Tensor", "Quantization"))
        if parameters is not None:
            changes["Quantization"] = self._quantization(parameters)
        return self._copier.table(table, "Tensor", changes)

    def _quantization(self, table: checked_table.Table) -> int:
        lengths = {
            name: table.extent(_slot("QuantizationParameters", name))[1]
            for name in ("Min", "Max", "Scale", "ZeroPoint")
        }
        changes: dict[str, None] = {}
        for name in ("Min", "Max"):
            # Without a scale they are what a quantizer starts from.
            if lengths["Scale"] or not lengths[name]:
                changes[name] = None
                skipped = self._copier.skip(
                    table, "QuantizationParameters", name
                )
                self._save("ranges", skipped)
        if not lengths["Scale"] and not lengths["ZeroPoint"]:
            changes |= {"Scale": None, "ZeroPoint": None}
        return self._copier.table(table, "QuantizationParameters", changes)

    def _operator(self, table: checked_table.Table) -> int:
        changes: dict[str, bytes | int | None] = {
            name: None
            for name in ("MutatingVariableInputs", "Intermediates")
            if not table.extent(_slot("Operator", name))[1]
        }
        options = _slot("Operator", "CustomOptions")
        if table.extent(options)[1]:
            changes["CustomOptions"] = self._copier.vector(
                table, options, align=_OPTIONS_ALIGN
            )
        offset = "LargeCustomOptionsOffset"
        if table.scalar(_slot("Operator", offset), "uint64") >= _MIN_OFFSET:
            changes[offset] = self._place(
                table, "Operator", offset, "LargeCustomOptionsSize"
            )
        return self._copier.table(table, "Operator", changes)
