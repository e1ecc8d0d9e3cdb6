# SPDX-License-Identifier: Apache-2.0
"""Which fields the tables of the `.tflite` schema have, and how wide.

Read off the generated code of the schema, so that operations of the installed
runtime are known without a list of them here. By hand is only what that code
does not tell apart: tables, strings and unions.
"""

import dataclasses
import functools
import struct
from typing import Any, Literal

from ai_edge_litert import schema_py_generated as schema

Kind = Literal["scalar", "numbers", "string", "table", "tables", "union"]

_UNIONS = {
    ("Operator", "BuiltinOptions"): schema.BuiltinOptions,
    ("Operator", "BuiltinOptions2"): schema.BuiltinOptions2,
    ("QuantizationParameters", "Details"): schema.QuantizationDetails,
    ("DimensionMetadata", "ArraySegments"): schema.SparseIndexVector,
    ("DimensionMetadata", "ArrayIndices"): schema.SparseIndexVector,
}
_TABLES = {
    ("Model", "OperatorCodes"): "OperatorCode",
    ("Model", "Subgraphs"): "SubGraph",
    ("Model", "Buffers"): "Buffer",
    ("Model", "Metadata"): "Metadata",
    ("Model", "SignatureDefs"): "SignatureDef",
    ("Model", "ExternalBufferGroups"): "ExternalBufferGroup",
    ("Model", "ExternalBuffers"): "ExternalBuffer",
    ("SubGraph", "Tensors"): "Tensor",
    ("SubGraph", "Operators"): "Operator",
    ("Tensor", "Quantization"): "QuantizationParameters",
    ("Tensor", "Sparsity"): "SparsityParameters",
    ("Tensor", "VariantTensors"): "VariantSubType",
    ("SparsityParameters", "DimMetadata"): "DimensionMetadata",
    ("SignatureDef", "Inputs"): "TensorMap",
    ("SignatureDef", "Outputs"): "TensorMap",
}
_STRINGS = {
    ("ExternalBuffer", "Packing"),
    ("ExternalBufferGroup", "Name"),
    ("Metadata", "Name"),
    ("Model", "Description"),
    ("OperatorCode", "CustomCode"),
    ("SignatureDef", "SignatureKey"),
    ("StableHLOCompositeOptions", "Name"),
    ("StablehloCustomCallOptions", "BackendConfig"),
    ("StablehloCustomCallOptions", "CallTargetName"),
    ("SubGraph", "Name"),
    ("Tensor", "Name"),
    ("TensorMap", "Name"),
    ("VarHandleOptions", "Container"),
    ("VarHandleOptions", "SharedName"),
}
_FORMATS = {
    "Bool": "<?",
    "Int8": "<b",
    "Uint8": "<B",
    "Int16": "<h",
    "Uint16": "<H",
    "Int32": "<i",
    "Uint32": "<I",
    "Int64": "<q",
    "Uint64": "<Q",
    "Float32": "<f",
    "Float64": "<d",
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field of a table.

    Attributes:
        name: As in the generated code.
        kind: What it holds; `tables` is a vector of tables.
        size: Bytes of a scalar, or of one item of a vector or string.
        default: Bytes that mean the same as a scalar's absence.
        table: What `table` and `tables` consist of.
        union: The enumeration of a `union`. The field before it tells which
            of its tables there is.
    """

    name: str
    kind: Kind
    size: int = 4
    default: bytes = b""
    table: str = ""
    union: Any = None


@functools.cache
def fields(table: str) -> dict[int, Field]:
    """Returns the fields of a table by number; deprecated ones are absent."""
    prefix = f"{table}Add"
    found = {}
    for function, add in vars(schema).items():
        name = function.removeprefix(prefix)
        if function != name and name[:1].isupper():
            ((method, (slot, _, default)),) = _recorded(add, 0)
            found[slot] = _field(table, name, method, default)
    return found


@functools.cache
def slot(table: str, name: str) -> int:
    """Returns the number of a field."""
    return next(i for i, f in fields(table).items() if f.name == name)


def member(union: Any, code: int) -> str | None:
    """Returns the table that a union's code stands for; None if unknown."""
    for name, value in vars(union).items():
        if value == code and code and hasattr(schema, f"{name}Start"):
            return name
    return None


def _field(table: str, name: str, method: str, default: float) -> Field:
    scalar = method.removeprefix("Prepend").removesuffix("Slot")
    if scalar in _FORMATS:
        content = struct.pack(_FORMATS[scalar], default)
        return Field(
            name=name, kind="scalar", size=len(content), default=content
        )
    if (table, name) in _STRINGS:
        return Field(name=name, kind="string", size=1)
    if (table, name) in _UNIONS:
        return Field(name=name, kind="union", union=_UNIONS[table, name])
    start_vector = vars(schema).get(f"{table}Start{name}Vector")
    if (table, name) in _TABLES:
        return Field(
            name=name,
            kind="tables" if start_vector else "table",
            table=_TABLES[table, name],
        )
    ((_, (size, *_)),) = _recorded(start_vector, 0)
    return Field(name=name, kind="numbers", size=size)


class _Recorder:
    """Stands for a builder and remembers what it was asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, method: str) -> Any:
        return lambda *arguments: self.calls.append((method, arguments))


def _recorded(function: Any, argument: int) -> Any:
    builder = _Recorder()
    function(builder, argument)
    return builder.calls
