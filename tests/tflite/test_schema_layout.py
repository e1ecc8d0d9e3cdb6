# SPDX-License-Identifier: Apache-2.0
import struct

import pytest
from ai_edge_litert import schema_py_generated as schema

from tflite_opt.tflite import schema_layout

_TABLES = sorted(
    name for name, value in vars(schema).items() if hasattr(value, "GetRootAs")
)
_UNIONS = (
    schema.BuiltinOptions,
    schema.BuiltinOptions2,
    schema.QuantizationDetails,
    schema.SparseIndexVector,
)


@pytest.mark.parametrize("table", _TABLES)
def test_every_field_of_every_table_is_known(table):
    """A reference of an unknown kind would fail here, not in a user's file."""
    fields = schema_layout.fields(table)
    accessors = vars(getattr(schema, table))
    lengths = {
        name.removesuffix("Length") for name in accessors if "Length" in name
    }
    for field in fields.values():
        assert field.name in accessors
        vector = field.kind in ("numbers", "tables")
        assert vector == (field.name in lengths)


@pytest.mark.parametrize("union", _UNIONS, ids=lambda union: union.__name__)
def test_every_member_of_a_union_is_a_table(union):
    codes = {
        name: code
        for name, code in vars(union).items()
        if isinstance(code, int) and code and not name.startswith("_")
    }
    assert len(codes) >= 3
    for name, code in codes.items():
        assert schema_layout.member(union, code) == name
    assert schema_layout.member(union, 0) is None
    assert schema_layout.member(union, 255) is None


def test_widths_and_defaults_are_those_of_the_schema():
    tensor = {f.name: f for f in schema_layout.fields("Tensor").values()}
    assert (tensor["Type"].size, tensor["Type"].default) == (1, b"\0")
    assert (tensor["Buffer"].size, tensor["Buffer"].default) == (4, bytes(4))
    assert tensor["Shape"].size == 4
    assert tensor["Quantization"].table == "QuantizationParameters"
    code = {f.name: f for f in schema_layout.fields("OperatorCode").values()}
    assert code["Version"].default == struct.pack("<i", 1)
    quantization = schema_layout.fields("QuantizationParameters")
    zero_points = quantization[
        schema_layout.slot("QuantizationParameters", "ZeroPoint")
    ]
    assert (zero_points.kind, zero_points.size) == ("numbers", 8)


def test_deprecated_fields_are_unknown():
    assert sorted(schema_layout.fields("ResizeBilinearOptions")) == [2, 3]
