# SPDX-License-Identifier: Apache-2.0
"""The parts of a `.tflite` file: subgraphs, operators, tensors, buffers.

Reads the structure, never the weights; knows nothing of what operations mean.
Any content, damaged or hostile, gives a `Model` or one `ModelError`, in time
and memory bounded by the size of the file.

References:
    https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs
"""

import contextlib
import dataclasses
import mmap
import pathlib
from collections.abc import Iterator

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tflite_opt.records import errors
from tflite_opt.tflite import callees, checked_table, mapped_file

_BLOCKWISE_QUANTIZATION = schema.QuantizationDetails.BlockwiseQuantization
_MULTI_AXIS_QUANTIZATION = schema.QuantizationDetails.MultiAxisQuantization
# The interpreter's own limit is lower.
_MAX_RANK = 64


def _names(enumeration: type) -> dict[int, str]:
    # A class has numbers of its own, e.g. `__firstlineno__`.
    return {
        value: name
        for name, value in vars(enumeration).items()
        if isinstance(value, int) and not name.startswith("_")
    }


_DTYPES = {k: v.lower() for k, v in _names(schema.TensorType).items()}
_OPERATORS = _names(schema.BuiltinOperator)


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Tensor:
    """One tensor as stored.

    Attributes:
        name: May be empty.
        shape: Open dimensions are stored as some positive number here.
        shape_signature: With -1 for open dimensions; empty if all are fixed.
        dtype: Lower-case TFLite type.
        buffer: Index of its buffer.
        is_variable: Whether it keeps its value between inferences.
        is_external: Whether its content is in another file.
        scale: Shape (n,), float32; n is 0, 1 or the number of channels.
        zero_point: Shape (n,), int64.
        scales_tensor: Index of the tensor that holds the scales of a blockwise
            or multi-axis quantization; -1 without.
        quantized_dimension: That of the channels, if there are several scales.
        sparsity: How a sparse tensor's values are laid out; None if dense.
    """

    name: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...]
    dtype: str
    buffer: int
    is_variable: bool
    is_external: bool
    scale: np.ndarray
    zero_point: np.ndarray
    scales_tensor: int
    quantized_dimension: int
    sparsity: checked_table.Table | None


@dataclasses.dataclass(frozen=True, slots=True)
class Operator:
    """One operation.

    Attributes:
        name: TFLite's name, or a custom operation's own.
        version: Of the operation.
        is_custom: Whether it is not one of TFLite's.
        inputs: Tensor indices; -1 for an absent optional input.
        outputs: Tensor indices.
        callees: Indices of the graphs that it runs, as a loop does.
        options: What its kind has beside operands; None without.
    """

    name: str
    version: int
    is_custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    callees: tuple[int, ...]
    options: checked_table.Table | None


@dataclasses.dataclass(frozen=True, slots=True)
class Subgraph:
    """One graph; operators are in execution order."""

    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Signature:
    """Names for the inputs and outputs of a subgraph, with tensor indices."""

    key: str
    subgraph: int
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Model:
    """A `.tflite` file.

    Attributes:
        content: The whole file, mapped.
        description: The file's own description.
        subgraphs: At least one; the first is the main one.
        buffers: Position in the file and number of bytes of each.
        signatures: May be empty.
        metadata: Name and index of the buffer of each entry.
    """

    content: mmap.mmap
    description: str
    subgraphs: tuple[Subgraph, ...]
    buffers: tuple[tuple[int, int], ...]
    signatures: tuple[Signature, ...]
    metadata: tuple[tuple[str, int], ...]

    def is_constant(self, tensor: Tensor) -> bool:
        """Whether the tensor's value is stored."""
        return tensor.is_external or self.buffers[tensor.buffer][1] > 0

    def buffer_bytes(self, index: int) -> bytes:
        """Returns a copy of a buffer's content."""
        start, size = self.buffers[index]
        return self.content[start : start + size]


def read(path: pathlib.Path) -> Model:
    """Reads a `.tflite` file.

    Raises:
        ModelError: If it is missing, unreadable, or not a valid `.tflite`.
    """
    content = mapped_file.map_tflite(path)
    with refusing_damage(path):
        return _model(content, checked_table.root(content))


@contextlib.contextmanager
def refusing_damage(path: pathlib.Path) -> Iterator[None]:
    """Turns a `FormatError` of the body into the `ModelError` of a file."""
    try:
        yield
    except checked_table.FormatError as error:
        raise errors.ModelError(
            "The model must be a whole `.tflite` file. "
            f"Received: path={str(path)!r}, but {error}. Make it again."
        ) from error


def _model(content: mmap.mmap, root: checked_table.Table) -> Model:
    # The numbers are those of the fields in the schema.
    buffers = tuple(_buffer(t, len(content)) for t in root.tables(4))
    codes = tuple(_operator_code(t) for t in root.tables(1))
    graphs = root.tables(2)
    counts = len(buffers), len(graphs)
    subgraphs = tuple(_subgraph(table, codes, *counts) for table in graphs)
    if not subgraphs:
        raise checked_table.FormatError("it holds no graph")
    metadata = tuple(
        (t.text(0), _index(t.scalar(1, "uint32"), len(buffers), "buffer"))
        for t in root.tables(6)
    )
    return Model(
        content=content,
        description=root.text(3),
        subgraphs=subgraphs,
        buffers=buffers,
        signatures=tuple(_signature(t, subgraphs) for t in root.tables(7)),
        metadata=metadata,
    )


def _index(value: int, count: int, what: str) -> int:
    if not 0 <= value < count:
        raise checked_table.FormatError(
            f"it refers to {what} {value} of {count}"
        )
    return value


def _indices(
    values: tuple[int, ...], count: int, optional: bool = False
) -> tuple[int, ...]:
    for value in values:
        if not (optional and value == -1):
            _index(value, count, "tensor")
    return values


def _buffer(table: checked_table.Table, file_bytes: int) -> tuple[int, int]:
    offset, size = table.scalar(1, "uint64"), table.scalar(2, "uint64")
    # Offset 1 is a placeholder; larger ones lie behind the flatbuffer, for
    # models of more than 2 GB.
    if offset > 1:
        if offset + size > file_bytes:
            raise checked_table.FormatError(
                f"a buffer ends at {offset + size}, beyond its end at "
                f"{file_bytes}"
            )
        return offset, size
    return table.extent(0)


def _operator_code(table: checked_table.Table) -> tuple[str, int, bool]:
    # Codes up to 126 were once stored in one byte.
    code = max(table.scalar(0, "int8"), table.scalar(3, "int32"))
    version = table.scalar(2, "int32", 1)
    if code == schema.BuiltinOperator.CUSTOM:
        return table.text(1) or "CUSTOM", version, True
    return _OPERATORS.get(code, f"BUILTIN_{code}"), version, False


def _subgraph(
    table: checked_table.Table,
    codes: tuple[tuple[str, int, bool], ...],
    num_buffers: int,
    num_subgraphs: int,
) -> Subgraph:
    tensors = tuple(_tensor(t, num_buffers) for t in table.tables(0))
    for tensor in tensors:
        if tensor.scales_tensor != -1:
            _index(tensor.scales_tensor, len(tensors), "tensor")
    operators = []
    for operator in table.tables(3):
        code = _index(operator.scalar(0, "uint32"), len(codes), "operation")
        operators.append(
            Operator(
                *codes[code],
                inputs=_indices(operator.integers(1), len(tensors), True),
                outputs=_indices(operator.integers(2), len(tensors), True),
                callees=tuple(
                    _index(graph, num_subgraphs, "graph")
                    for graph in callees.graphs(operator, codes[code][0])
                ),
                options=operator.table(4),
            )
        )
    return Subgraph(
        name=table.text(4),
        tensors=tensors,
        operators=tuple(operators),
        inputs=_indices(table.integers(1), len(tensors)),
        outputs=_indices(table.integers(2), len(tensors)),
    )


def _tensor(table: checked_table.Table, num_buffers: int) -> Tensor:
    shape, signature = table.integers(0), table.integers(7)
    for dimensions in (shape, signature):
        if len(dimensions) > _MAX_RANK or min(dimensions, default=0) < -1:
            raise checked_table.FormatError("a tensor has an impossible shape")
    code = table.scalar(1, "int8")
    scale, zero_point = np.empty(0, "float32"), np.empty(0, "int64")
    scales_tensor, quantized_dimension = -1, 0
    quantization = table.table(4)
    if quantization is not None:
        quantized_dimension = quantization.scalar(6, "int32")
        scale = quantization.numbers(2, "float32")
        zero_point = quantization.numbers(3, "int64")
        details = quantization.table(5)
        if details is not None and quantization.scalar(4, "uint8") in (
            _BLOCKWISE_QUANTIZATION,
            _MULTI_AXIS_QUANTIZATION,
        ):
            scales_tensor = details.scalar(0, "int32")
    return Tensor(
        name=table.text(3),
        shape=shape,
        shape_signature=signature,
        dtype=_DTYPES.get(code, f"type_{code}"),
        buffer=_index(table.scalar(2, "uint32"), num_buffers, "buffer"),
        is_variable=bool(table.scalar(5, "uint8")),
        is_external=table.scalar(10, "uint32") > 0,
        scale=scale,
        zero_point=zero_point,
        scales_tensor=scales_tensor,
        quantized_dimension=quantized_dimension,
        sparsity=table.table(6),
    )


def _signature(
    table: checked_table.Table, subgraphs: tuple[Subgraph, ...]
) -> Signature:
    subgraph = _index(table.scalar(4, "uint32"), len(subgraphs), "graph")
    count = len(subgraphs[subgraph].tensors)
    inputs, outputs = (
        tuple(
            (t.text(0), _index(t.scalar(1, "uint32"), count, "tensor"))
            for t in table.tables(field)
        )
        for field in (0, 1)
    )
    return Signature(table.text(2), subgraph, inputs, outputs)
