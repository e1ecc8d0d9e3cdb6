# SPDX-License-Identifier: Apache-2.0
"""Zeros and distinct values of stored weights, whole and by channel.

Looks at values as they are stored, so that nothing depends on scales: the zero
of a quantized weight is its zero point. Knows nothing of operations.
"""

import math

import numpy as np

from tflite_opt.records import weight_values
from tflite_opt.tflite import checked_table, flatbuffer, sparsity

STORED_DTYPES = {
    "float16": "<f2",
    "float32": "<f4",
    "float64": "<f8",
    "int8": "i1",
    "int16": "<i2",
    "int32": "<i4",
    "int64": "<i8",
    "uint8": "u1",
    "uint16": "<u2",
    "uint32": "<u4",
    "uint64": "<u8",
}
# Bits of values that share bytes, the first one in the lowest bits.
_PACKED_BITS = {"int2": 2, "int4": 4, "uint4": 4}
# Values looked at in one go; what is computed of them takes ten times as much.
_BLOCK_VALUES = 1 << 20
# Counting the values of a byte pays only for channels longer than this.
_MIN_COUNTED = 64
# Larger shapes are damage.
_MAX_ELEMENTS = 1 << 53
# Tensors may share buffers, so a small damaged file can describe endless
# work. Values of real files take at least two bits, and few share them.
_FREE_WORK = 1 << 20
_WORK_PER_BYTE = 16


def describe(array: np.ndarray, axis: int) -> weight_values.WeightValues:
    """Returns zeros and distinct values of an array.

    Args:
        array: Not empty; 0 is its zero.
        axis: The dimension of its channels.
    """
    rows = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
    return _dense(rows, np.zeros(1, "int64"), axis)


class Reader:
    """Reads the weights of one file, shared ones once."""

    def __init__(self, model: flatbuffer.Model) -> None:
        self._model = model
        self._work_left = _FREE_WORK + _WORK_PER_BYTE * len(model.content)
        self._known: dict[object, weight_values.WeightValues | None] = {}

    def read(
        self, tensor: flatbuffer.Tensor, axis: int
    ) -> weight_values.WeightValues | None:
        """Returns what is known of a weight's values.

        Args:
            tensor: A stored weight.
            axis: The dimension of its channels.

        Returns:
            None if the values are not in the file, not as many as the shape
            says, or of a dtype without a zero.

        Raises:
            FormatError: If its sparsity parameters are damaged.
        """
        key = (
            self._model.buffers[tensor.buffer],
            tensor.dtype,
            tensor.shape,
            axis,
            tensor.zero_point.tobytes(),
            tensor.quantized_dimension,
            tensor.sparsity and id(tensor),
        )
        if key not in self._known:
            self._known[key] = self._read(tensor, axis)
        return self._known[key]

    def zeros(self, tensor: flatbuffer.Tensor, axis: int) -> np.ndarray | None:
        """Returns which elements are zero, shape (channels, others).

        Args:
            tensor: A stored weight that is not sparse.
            axis: The dimension of its channels.

        Returns:
            None if the values are not in the file or sparse.
        """
        size = math.prod(tensor.shape)
        stored, zero = self._stored(tensor, size), _zero(tensor, axis)
        if stored is None or zero is None or len(stored) != size:
            return None
        rows = np.moveaxis(stored.reshape(tensor.shape), axis, 0)
        rows = rows.reshape(len(rows), -1)
        return rows == zero.astype(rows.dtype)[:, np.newaxis]

    def _read(
        self, tensor: flatbuffer.Tensor, axis: int
    ) -> weight_values.WeightValues | None:
        shape = tensor.shape
        size = math.prod(shape)
        if not 0 <= axis < len(shape) or min(shape) < 1 or size > _MAX_ELEMENTS:
            return None
        stored = self._stored(tensor, size)
        zero = _zero(tensor, axis)
        if stored is None or zero is None:
            return None
        self._charge(len(stored))
        if tensor.sparsity is None:
            if len(stored) != size:
                return None
            rows = np.moveaxis(stored.reshape(shape), axis, 0)
            return _dense(rows.reshape(shape[axis], -1), zero, axis)
        # What is left out is a stored 0, whatever the zero point. No real
        # file leaves nearly all of its channels out.
        if zero.any() or shape[axis] > len(self._model.content):
            return None
        self._charge(shape[axis])
        channels = sparsity.coordinates(
            tensor.sparsity, shape, axis, len(stored), self._charge
        )
        return _sparse(stored, channels, axis, shape)

    def _stored(
        self, tensor: flatbuffer.Tensor, size: int
    ) -> np.ndarray | None:
        start, num_bytes = self._model.buffers[tensor.buffer]
        if tensor.is_external or not num_bytes:
            return None
        content = np.frombuffer(self._model.content, np.uint8, num_bytes, start)
        bits = _PACKED_BITS.get(tensor.dtype)
        if bits is not None:
            self._charge(num_bytes)
            return unpack(content, bits, tensor.dtype.startswith("int"), size)
        if tensor.dtype == "bfloat16" and num_bytes % 2 == 0:
            return (content.view("<u2").astype("<u4") << 16).view("<f4")
        dtype = STORED_DTYPES.get(tensor.dtype)
        if dtype is None or num_bytes % np.dtype(dtype).itemsize:
            return None
        return content.view(dtype)

    def _charge(self, work: int) -> None:
        self._work_left -= work
        if self._work_left < 0:
            raise checked_table.FormatError(
                "its tensors share their values more often than those of a "
                "real model"
            )


def unpack(
    content: np.ndarray, bits: int, signed: bool, size: int
) -> np.ndarray | None:
    """Returns values that share bytes, one by one.

    Args:
        content: Shape `(n,)`, uint8.
        bits: Of one value; the first is in the lowest bits of its byte.
        signed: Whether values may be negative.
        size: How many there are.

    Returns:
        Shape `(size,)`, int8 or uint8; None if `n` does not fit `size`.
    """
    per_byte = 8 // bits
    if len(content) != -(-size // per_byte):
        return None
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    values = (content[:, np.newaxis] >> shifts) & np.uint8((1 << bits) - 1)
    values = values.reshape(-1)[:size]
    if not signed:
        return values
    sign = np.int8(1 << (bits - 1))
    return (values.view(np.int8) ^ sign) - sign


def _zero(tensor: flatbuffer.Tensor, axis: int) -> np.ndarray | None:
    """Returns the stored value of zero, shape (1,) or (channels,)."""
    if tensor.scales_tensor != -1 or not len(tensor.zero_point):
        # Blocks are quantized symmetrically.
        return np.zeros(1, "int64")
    if len(tensor.zero_point) == 1:
        return tensor.zero_point
    if len(np.unique(tensor.zero_point)) == 1:
        return tensor.zero_point[:1]
    by_channel = tensor.quantized_dimension == axis
    return (
        tensor.zero_point
        if by_channel and len(tensor.zero_point) == tensor.shape[axis]
        else None
    )


def _dense(
    rows: np.ndarray, zero: np.ndarray, axis: int
) -> weight_values.WeightValues:
    """Describes values of shape (channels, values of each)."""
    channels, width = rows.shape
    zeros = np.zeros(channels, "int64")
    distinct = np.zeros(channels, "int64")
    counted = rows.dtype.itemsize == 1 and width > _MIN_COUNTED
    step = max(1, _BLOCK_VALUES // max(width, 256))
    for begin in range(0, channels, step):
        block = rows[begin : begin + step]
        expected = zero[begin : begin + step] if len(zero) > 1 else zero
        # Compared in the stored dtype: no copy of another one.
        zeros[begin : begin + step] = (
            block == expected.astype(rows.dtype)[:, np.newaxis]
        ).sum(axis=1)
        distinct[begin : begin + step] = (
            _distinct_bytes(block) if counted else _distinct(block)
        )
    (total,) = _distinct(rows.reshape(1, -1))
    return _summary(axis, width, zeros, distinct, int(total))


def _distinct_bytes(rows: np.ndarray) -> np.ndarray:
    """Does the same as `_distinct` for values of one byte, by counting."""
    channels = len(rows)
    codes = rows.view(np.uint8) + np.arange(0, 256 * channels, 256)[:, None]
    counts = np.bincount(codes.reshape(-1), minlength=256 * channels)
    return (counts.reshape(channels, 256) > 0).sum(axis=1)


def _distinct(rows: np.ndarray) -> np.ndarray:
    """Returns the number of distinct values in each row; NaN is one."""
    ordered = np.sort(rows, axis=1)
    changes = ordered[:, 1:] != ordered[:, :-1]
    if ordered.dtype.kind == "f":
        missing = np.isnan(ordered)
        changes &= ~(missing[:, 1:] & missing[:, :-1])
    return 1 + changes.sum(axis=1)


def _sparse(
    stored: np.ndarray,
    channels: np.ndarray,
    axis: int,
    shape: tuple[int, ...],
) -> weight_values.WeightValues:
    """Describes stored values, each with its channel; the others are zero."""
    num_channels = shape[axis]
    width = math.prod(shape) // num_channels
    values, channels = stored[stored != 0], channels[stored != 0]
    zeros = width - np.bincount(channels, minlength=num_channels)
    order = np.lexsort((values, channels))
    values, channels = values[order], channels[order]
    first = np.ones(len(values), bool)
    first[1:] = (values[1:] != values[:-1]) | (channels[1:] != channels[:-1])
    distinct = np.bincount(channels[first], minlength=num_channels)
    total = len(np.unique(values)) + int(zeros.any())
    return _summary(axis, width, zeros, distinct + (zeros > 0), total)


def _summary(
    axis: int, width: int, zeros: np.ndarray, distinct: np.ndarray, total: int
) -> weight_values.WeightValues:
    return weight_values.WeightValues(
        zeros=int(zeros.sum()),
        unique_values=total,
        channel_axis=axis,
        num_channels=len(zeros),
        zero_channels=int((zeros == width).sum()),
        channel_zero_fraction=_spread(zeros / width),
        channel_unique_values=_spread(distinct),
    )


def _spread(values: np.ndarray) -> weight_values.Spread:
    return weight_values.Spread(
        minimum=float(values.min()),
        median=float(np.median(values)),
        maximum=float(values.max()),
    )
