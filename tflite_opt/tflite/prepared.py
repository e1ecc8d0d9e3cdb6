# SPDX-License-Identifier: Apache-2.0
"""What the interpreter made of a file: delegation, memory, shapes.

Runs in this process: call it where a crash of the runtime is survived. Nothing
is run. The runtime lists its nodes and the addresses of tensors; what follows
from them is worked out here.
"""

import pathlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ai_edge_litert import interpreter as litert

from tflite_opt.records import benchmark, delegation, errors
from tflite_opt.tflite import flatbuffer, loaded_model, native_messages

# The planner starts every tensor of an arena at a multiple of this, right
# behind others, and so does the runtime with an arena itself.
_ALIGNMENT = 64
# Their tensors have no memory of a size known beforehand.
_OPAQUE_DTYPES = frozenset({"string", "resource", "variant"})


class PreparedModel:
    """A file, prepared for inference.

    Attributes:
        delegated: Indices of the operations in each partition of the main
            subgraph.
        left_out: Indices of its other operations.
        memory: None if the size of a tensor depends on the data.
    """

    def __init__(
        self,
        path: pathlib.Path,
        delegate: benchmark.Delegate,
        input_shapes: Sequence[Sequence[int]] = (),
    ) -> None:
        """Prepares it.

        Args:
            path: A `.tflite`.
            delegate: `xnnpack`, or `none` for the builtin kernels.
            input_shapes: Of all inputs of the main subgraph, in their order,
                instead of the file's own.

        Raises:
            ModelError: If it is no valid `.tflite`, or the runtime cannot
                prepare it, with the runtime's reason.
        """
        self._model = flatbuffer.read(path)
        self._graph = self._model.subgraphs[0]
        self._interpreter = _prepare(path, delegate, input_shapes)
        # `_get_ops_details` would also decode the names of all tensors.
        self._native = self._interpreter._interpreter
        self._extents = self._find_extents()
        self.delegated = self._partitions()
        inside = {index for part in self.delegated for index in part}
        count = len(self._graph.operators)
        self.left_out = tuple(i for i in range(count) if i not in inside)
        self.memory = self._memory()

    def _partitions(self) -> tuple[tuple[int, ...], ...]:
        native, operators = self._native, self._graph.operators
        source = {
            tensor: index
            for index, operator in enumerate(operators)
            for tensor in operator.outputs
        }
        parts: list[set[int]] = []
        # Which partition keeps a tensor to itself.
        owner: dict[int, int] = {}
        for node in range(native.NumNodes()):
            if native.NodeName(node) != "DELEGATE":
                continue
            outputs = [int(tensor) for tensor in native.NodeOutputs(node)]
            part = self._between(source, native.NodeInputs(node), outputs)
            for tensor in self._written(part) - set(outputs):
                owner[tensor] = len(parts)
            parts.append(part)
        self._add_unreached(parts, owner)
        return tuple(tuple(sorted(part)) for part in parts)

    def _add_unreached(
        self, parts: list[set[int]], owner: dict[int, int]
    ) -> None:
        """Adds what lies in a partition and leads to none of its outputs.

        Such an operation reads what a partition keeps to itself, or nobody
        reads its outputs and they have no memory.
        """
        inside: set[int] = set().union(*parts)
        operators = self._graph.operators
        read = {t for operator in operators for t in operator.inputs}
        read.update(self._graph.outputs)
        for index, operator in enumerate(operators):
            if index in inside or not parts:
                continue
            part = next((owner[t] for t in operator.inputs if t in owner), None)
            outputs = set(operator.outputs)
            if part is None and outputs and not outputs & read:
                part = None if outputs & self._extents.keys() else 0
            if part is not None:
                parts[part].add(index)
                owner.update(dict.fromkeys(outputs, part))

    def _between(
        self,
        source: Mapping[int, int],
        inputs: Sequence[int],
        outputs: Sequence[int],
    ) -> set[int]:
        """Returns the operations that turn a node's inputs into its outputs."""
        given = {int(tensor) for tensor in inputs}
        found: set[int] = set()
        pending = list(outputs)
        while pending:
            tensor = pending.pop()
            index = None if tensor in given else source.get(tensor)
            if index is not None and index not in found:
                found.add(index)
                pending += self._graph.operators[index].inputs
        return found

    def _written(self, operators: Collection[int]) -> set[int]:
        """Returns the tensors that operations write."""
        return {
            tensor
            for index in operators
            for tensor in self._graph.operators[index].outputs
        }

    def _find_extents(self) -> dict[int, tuple[int, int]]:
        """Returns the addresses of the tensors that have memory.

        Those behind the file's own tensors are the operations' scratch space.
        Stored constants are not among them.
        """
        native, found = self._native, {}
        tensors = self._graph.tensors
        for index in range(native.NumTensors(0)):
            if index < len(tensors) and self._model.is_constant(tensors[index]):
                continue
            try:
                # Without a shape, the next call would crash.
                native.TensorSize(index, 0)
                array = native.tensor(native, index)
            except (RuntimeError, ValueError):
                continue
            address, _ = array.__array_interface__["data"]
            found[index] = address, address + array.nbytes
        return found

    def _memory(self) -> delegation.TensorMemory | None:
        if not self._is_planned():
            return None
        # Inputs and outputs are in the arena.
        ends = {*self._graph.inputs, *self._graph.outputs}
        arena = persistent = 0
        for members in _regions(self._extents):
            start = min(self._extents[tensor][0] for tensor in members)
            size = max(self._extents[tensor][1] for tensor in members) - start
            if ends & members:
                arena += size
            else:
                persistent += size
        return delegation.TensorMemory(
            arena_bytes=arena, persistent_bytes=persistent
        )

    def _is_planned(self) -> bool:
        return all(
            tensor == -1
            or tensor in self._extents
            or self._graph.tensors[tensor].dtype in _OPAQUE_DTYPES
            for index in self.left_out
            for tensor in self._graph.operators[index].outputs
        )

    def shapes(self) -> list[list[tuple[int, ...] | None]]:
        """Returns the shapes of all tensors in the file, by subgraph.

        None stands for a shape that is not known before the first inference.
        """
        reached = self._reached() if self.memory is not None else set()
        return [
            [
                self._shape(tensor, index) if index in reached else None
                for tensor in range(len(graph.tensors))
            ]
            for index, graph in enumerate(self._model.subgraphs)
        ]

    def _reached(self) -> set[int]:
        """Returns the main subgraph and all that its operations run."""
        reached: set[int] = set()
        pending = [0]
        while pending:
            index = pending.pop()
            if index not in reached:
                reached.add(index)
                for operator in self._model.subgraphs[index].operators:
                    pending += operator.callees
        return reached

    def _shape(self, tensor: int, subgraph: int) -> tuple[int, ...] | None:
        try:
            return tuple(self._native.TensorSize(tensor, subgraph).tolist())
        except (RuntimeError, ValueError):
            return None


def _regions(extents: Mapping[int, tuple[int, int]]) -> list[set[int]]:
    """Returns the tensors of each contiguous piece of memory.

    The planner leaves no more between two tensors than their alignment takes;
    two allocations are further apart, as each is aligned and has a header.
    """
    regions: list[set[int]] = []
    end, is_arena = 0, False
    for tensor in sorted(extents, key=lambda index: extents[index]):
        start, own_end = extents[tensor]
        is_aligned = start % _ALIGNMENT == 0
        if not (is_arena and is_aligned and start - end < _ALIGNMENT):
            regions.append(set())
            end, is_arena = 0, is_aligned
        regions[-1].add(tensor)
        end = max(end, own_end)
    return regions


def _prepare(
    path: pathlib.Path,
    delegate: benchmark.Delegate,
    input_shapes: Sequence[Sequence[int]],
) -> Any:
    try:
        with native_messages.filtered():
            interpreter = litert.Interpreter(
                str(path),
                num_threads=1,
                experimental_op_resolver_type=loaded_model.RESOLVERS[delegate],
            )
            inputs = interpreter._interpreter.InputIndices()
            for index, shape in zip(inputs, input_shapes, strict=False):
                interpreter.resize_tensor_input(int(index), list(shape))
            interpreter.allocate_tensors()
    except (RuntimeError, ValueError, MemoryError) as error:
        raise errors.ModelError(
            "The runtime must be able to prepare the model. "
            f"Received: path={str(path)!r}, delegate={delegate}: "
            f"{native_messages.one_line(error)}."
        ) from error
    return interpreter
