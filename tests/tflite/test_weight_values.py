# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade
from tflite_opt.records import errors, weight_values
from tflite_opt.tflite import facts

_RANDOM = np.random.default_rng(0)


def _expected(values, axis=0, zero=0):
    """Returns the same figures, computed the simplest way."""
    rows = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
    zeros = [
        int((row == z).sum())
        for row, z in zip(rows, np.broadcast_to(zero, len(rows)), strict=True)
    ]
    distinct = [len(np.unique(row)) for row in rows]
    fractions = np.array(zeros) / rows.shape[1]
    return weight_values.WeightValues(
        zeros=sum(zeros),
        unique_values=len(np.unique(values)),
        channel_axis=axis,
        num_channels=len(rows),
        zero_channels=zeros.count(rows.shape[1]),
        channel_zero_fraction=_spread(fractions),
        channel_unique_values=_spread(distinct),
    )


def _spread(values):
    return weight_values.Spread(
        minimum=float(np.min(values)),
        median=float(np.median(values)),
        maximum=float(np.max(values)),
    )


def _read(builder, tmp_path, index=1):
    path = builder.save(tmp_path / "model.tflite")
    found = facts.read_facts(path, delegation=False, values=True)
    return found, found.tensors[index].values


def _weight(
    dtype, shape, content, *, name="FULLY_CONNECTED", axis=None, **fields
):
    """Returns an operation with a weight of tensor index 1."""
    builder = handmade.Builder()
    x = builder.tensor((1, 4), name="x")
    weight = builder.tensor(shape, dtype, values=content, **fields)
    if axis is not None:
        tensor = builder.model.subgraphs[0].tensors[weight]
        tensor.quantization.quantizedDimension = axis
    y = builder.tensor((1, 3), name="y")
    builder.operator(name, (x, weight), (y,))
    builder.ends((x,), (y,))
    return builder


def _sparse_random(shape, dtype="float32"):
    values = _RANDOM.integers(-3, 4, shape) * (_RANDOM.random(shape) < 0.4)
    return values.astype(dtype)


@pytest.mark.parametrize(
    "dtype",
    ["float32", "float16", "float64", "int8", "uint8", "int16", "int32"],
)
@pytest.mark.parametrize(
    "shape", [(5, 7), (300, 5), (6, 3, 3, 70)], ids=["small", "tall", "wide"]
)
def test_matches_numpy(tmp_path, dtype, shape):
    values = np.abs(_sparse_random(shape)).astype(dtype)
    values[1] = 0
    found, read = _read(_weight(dtype, shape, values), tmp_path)
    assert read == _expected(values)
    assert read.zero_channels >= 1
    assert found.zero_weight_fraction == read.zeros / values.size


@pytest.mark.parametrize(
    ("name", "shape", "axis"),
    [
        ("CONV_2D", (6, 3, 3, 4), 0),
        ("DEPTHWISE_CONV_2D", (1, 3, 3, 6), 3),
        ("TRANSPOSE_CONV", (6, 3, 3, 4), 0),
        ("CONV_3D", (2, 2, 2, 3, 6), 4),
        ("CONV_3D_TRANSPOSE", (2, 2, 2, 6, 3), 3),
    ],
)
def test_channels_are_those_of_the_operation(tmp_path, name, shape, axis):
    values = _sparse_random(shape)
    read = _read(_weight("float32", shape, values, name=name), tmp_path)[1]
    assert read == _expected(values, axis)


def test_channels_are_those_of_the_scales(tmp_path):
    values = _sparse_random((5, 7), "int8")
    builder = _weight("int8", (5, 7), values, scale=[0.5] * 7, axis=1)
    assert _read(builder, tmp_path)[1] == _expected(values, axis=1)


def test_zero_is_the_zero_point(tmp_path):
    values = _RANDOM.integers(120, 136, (5, 90)).astype("uint8")
    builder = _weight("uint8", (5, 90), values, scale=[0.1], zero_point=[128])
    read = _read(builder, tmp_path)[1]
    assert read == _expected(values, zero=128)
    assert 0 < read.zeros < values.size


def test_each_channel_may_have_its_zero_point(tmp_path):
    points = [1, -1, 0, 2, -2]
    values = _RANDOM.integers(-3, 4, (5, 90)).astype("int8")
    builder = _weight(
        "int8", (5, 90), values, scale=[0.1] * 5, zero_point=points
    )
    assert _read(builder, tmp_path)[1] == _expected(values, zero=points)


@pytest.mark.parametrize(
    ("dtype", "bits", "low", "high"),
    [("int4", 4, -8, 8), ("uint4", 4, 0, 16), ("int2", 2, -2, 2)],
)
def test_packed_values_are_unpacked(tmp_path, dtype, bits, low, high):
    values = _RANDOM.integers(low, high, (5, 9))
    codes = values.reshape(-1) & ((1 << bits) - 1)
    per_byte = 8 // bits
    codes = np.pad(codes, (0, -len(codes) % per_byte)).reshape(-1, per_byte)
    content = (codes << np.arange(0, 8, bits)).sum(axis=1).astype("uint8")
    read = _read(_weight(dtype, (5, 9), content), tmp_path)[1]
    assert read == _expected(values)


def test_bfloat16_is_widened(tmp_path):
    values = _sparse_random((4, 6))
    content = (values.view("uint32") >> 16).astype("uint16")
    read = _read(_weight("bfloat16", (4, 6), content), tmp_path)[1]
    assert read == _expected(values)


def test_not_a_number_is_one_value_and_negative_zero_is_zero(tmp_path):
    values = np.array([[np.nan, np.nan, 1, -0.0]], "float32")
    read = _read(_weight("float32", (1, 4), values), tmp_path)[1]
    assert (read.zeros, read.unique_values) == (1, 3)


def test_values_behind_dequantize_are_those_stored(tmp_path):
    builder = handmade.Builder()
    values = _sparse_random((3, 4), "float16")
    x, y = builder.tensor((1, 4)), builder.tensor((1, 3))
    half = builder.tensor((3, 4), "float16", values=values)
    full = builder.tensor((3, 4))
    builder.operator("DEQUANTIZE", (half,), (full,))
    builder.operator("FULLY_CONNECTED", (x, full), (y,))
    assert _read(builder, tmp_path, half)[1] == _expected(values)


@pytest.mark.parametrize(
    ("dtype", "content"),
    [("float32", np.ones(11, "f4")), ("string", np.ones(12, "u1"))],
    ids=["too-few", "text"],
)
def test_what_cannot_be_read_is_left_out(tmp_path, dtype, content):
    assert _read(_weight(dtype, (3, 4), content), tmp_path)[1] is None


def test_values_are_read_only_when_asked_for(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    found = facts.read_facts(path, delegation=False)
    assert all(tensor.values is None for tensor in found.tensors)
    assert found.zero_weight_fraction is None
    assert found.sparse_encoded_bytes is None


def test_other_tensors_than_weights_are_not_looked_at(tmp_path):
    found, read = _read(handmade.dense(), tmp_path)
    assert read == _expected(handmade.WEIGHTS)
    assert [t.name for t in found.tensors if t.values] == ["weights"]


def test_a_small_file_cannot_ask_for_endless_work(tmp_path):
    builder = handmade.Builder()
    x, y = builder.tensor((1, 4)), builder.tensor((1, 3))
    buffer = builder.buffer(bytes(40_000))
    for count in range(1, 400):
        weight = builder.tensor(
            (40_000,), "int8", buffer=buffer, scale=[1], zero_point=[count]
        )
        builder.operator("FULLY_CONNECTED", (x, weight), (y,))
    with pytest.raises(errors.ModelError, match="share their values"):
        _read(builder, tmp_path)


def _index_vector(values, kind):
    vector = getattr(schema, f"{kind}T")()
    vector.values = list(values)
    return getattr(schema.SparseIndexVector, kind), vector


def _dimension(size=0, segments=None, indices=None, kind="Int32Vector"):
    dimension = schema.DimensionMetadataT()
    dimension.denseSize = size
    if segments is not None:
        dimension.format = schema.DimensionType.SPARSE_CSR
        dimension.arraySegmentsType, dimension.arraySegments = _index_vector(
            segments, kind
        )
        dimension.arrayIndicesType, dimension.arrayIndices = _index_vector(
            indices, kind
        )
    return dimension


def _sparse_weight(values, stored, dimensions, order, block_map=(), **fields):
    builder = _weight(str(stored.dtype), values.shape, stored, **fields)
    sparsity = schema.SparsityParametersT()
    sparsity.traversalOrder, sparsity.blockMap = list(order), list(block_map)
    sparsity.dimMetadata = list(dimensions)
    builder.model.subgraphs[0].tensors[1].sparsity = sparsity
    return builder


def _compressed_rows(values):
    """Returns stored values, segments and indices of a matrix."""
    rows, columns = np.nonzero(values)
    lengths = np.bincount(rows, minlength=len(values))
    return values[rows, columns], [0, *np.cumsum(lengths)], columns


@pytest.mark.parametrize("kind", ["Int32Vector", "Uint16Vector", "Uint8Vector"])
def test_compressed_rows_count_what_they_leave_out(tmp_path, kind):
    values = _sparse_random((6, 8))
    values[2] = 0
    stored, segments, indices = _compressed_rows(values)
    dimensions = [_dimension(6), _dimension(0, segments, indices, kind)]
    builder = _sparse_weight(values, stored, dimensions, (0, 1))
    found, read = _read(builder, tmp_path)
    assert found.tensors[1].is_sparse
    assert read == _expected(values)


def test_compressed_columns(tmp_path):
    values = _sparse_random((6, 8), "int8")
    stored, segments, indices = _compressed_rows(values.T)
    dimensions = [_dimension(8), _dimension(0, segments, indices)]
    builder = _sparse_weight(values, stored, dimensions, (1, 0))
    assert _read(builder, tmp_path)[1] == _expected(values)


def test_sparse_values_with_a_zero_point_are_left_out(tmp_path):
    values = _sparse_random((6, 8), "int8")
    stored, segments, indices = _compressed_rows(values)
    dimensions = [_dimension(6), _dimension(0, segments, indices)]
    builder = _sparse_weight(
        values, stored, dimensions, (0, 1), scale=[0.1], zero_point=[5]
    )
    assert _read(builder, tmp_path)[1] is None


@pytest.mark.parametrize("axis", [0, 1])
def test_blocks(tmp_path, axis):
    """Blocks of 2 x 3, of which some are all zero and left out."""
    blocks = _RANDOM.integers(1, 4, (3, 4, 2, 3)).astype("float32")
    blocks[_RANDOM.random((3, 4)) < 0.5] = 0
    values = blocks.transpose(0, 2, 1, 3).reshape(6, 12)
    rows, columns = np.nonzero(blocks.any(axis=(2, 3)))
    segments = [0, *np.cumsum(np.bincount(rows, minlength=3))]
    builder = _sparse_weight(
        values,
        blocks[rows, columns],
        [_dimension(3), _dimension(0, segments, columns)]
        + [_dimension(2), _dimension(3)],
        (0, 1, 2, 3),
        (0, 1),
        scale=[1.0] * values.shape[axis],
        axis=axis,
    )
    assert _read(builder, tmp_path)[1] == _expected(values, axis)


@pytest.mark.parametrize(
    ("dimensions", "order", "block_map"),
    [
        ([_dimension(6)], (0,), ()),
        ([_dimension(6), _dimension(8)], (0, 2), ()),
        ([_dimension(6), _dimension(8)], (0, 0), ()),
        ([_dimension(6), _dimension(-1)], (0, 1), ()),
        ([_dimension(2**31 - 1), _dimension(2**31 - 1)], (0, 1), ()),
        ([_dimension(6), _dimension(0, [0, 2], [0, 1])], (0, 1), ()),
        (
            [_dimension(6), _dimension(0, [0, 9, 3, 3, 3, 3, 5], range(5))],
            (0, 1),
            (),
        ),
        (
            [_dimension(6), _dimension(0, [0, 1, 2, 3, 4, 5, 9], range(5))],
            (0, 1),
            (),
        ),
        ([_dimension(6), _dimension(0, range(7), [8] * 6)], (0, 1), ()),
        ([_dimension(6), _dimension(0, range(7), [-1] * 6)], (0, 1), ()),
        ([_dimension(6), _dimension(8), _dimension(1)], (0, 1, 2), (2,)),
        ([_dimension(6), _dimension(8), _dimension(1)], (2, 0, 1), (0,)),
    ],
    ids=[
        "too-few",
        "order",
        "twice",
        "negative-size",
        "huge",
        "segments",
        "falling-segments",
        "beyond-indices",
        "index-too-large",
        "index-negative",
        "block-of-nothing",
        "block-outside",
    ],
)
def test_damaged_sparsity_is_an_error(tmp_path, dimensions, order, block_map):
    values = np.zeros((6, 8), "float32")
    stored = np.ones(6, "float32")
    # Columns are the channels, so that indices are looked at.
    builder = _sparse_weight(
        values, stored, dimensions, order, block_map, scale=[1.0] * 8, axis=1
    )
    with pytest.raises(errors.ModelError, match="sparsity does not fit"):
        _read(builder, tmp_path)


@pytest.mark.tensorflow
def test_int4_of_the_quantizer(converted):
    path = converted / "weight_only_int4.tflite"
    found = facts.read_facts(path, delegation=False, values=True)
    for tensor in found.weights:
        assert tensor.values is not None
        if tensor.dtype == "int4":
            assert tensor.values.unique_values <= 16
