# SPDX-License-Identifier: Apache-2.0
"""Stored values of a `.tflite`, read and replaced where they are.

Replacing changes no other byte of the file, so indices, names, scales and
whatever else it holds stay as they are.
"""

import math
import pathlib
from collections.abc import Mapping

import numpy as np

from tflite_opt.records import errors, files
from tflite_opt.tflite import flatbuffer, weight_values

_PACKED_BITS = 4


def read(model: flatbuffer.Model, tensor: flatbuffer.Tensor) -> np.ndarray:
    """Returns the values of a stored tensor.

    Args:
        model: The file.
        tensor: One of its dense constants.

    Returns:
        Of the tensor's shape; int4 as int8. A copy.

    Raises:
        ModelError: If its values are not in the file in a plain form.
    """
    content = np.frombuffer(model.buffer_bytes(tensor.buffer), np.uint8)
    size = math.prod(tensor.shape)
    found: np.ndarray | None = None
    if tensor.sparsity is None and not tensor.is_external:
        if tensor.dtype == "int4":
            found = weight_values.unpack(content, _PACKED_BITS, True, size)
        elif tensor.dtype in weight_values.STORED_DTYPES:
            dtype = np.dtype(weight_values.STORED_DTYPES[tensor.dtype])
            if len(content) == size * dtype.itemsize:
                found = content.view(dtype)
    if found is None:
        raise errors.ModelError(
            "Constants must be stored densely in the file. "
            f"Received: tensor={tensor.name!r} of {tensor.dtype} with "
            f"{len(content)} bytes."
        )
    return found.reshape(tensor.shape).copy()


def encoded(tensor: flatbuffer.Tensor, array: np.ndarray) -> bytes:
    """Returns the bytes that stand for values of a tensor.

    Args:
        tensor: Whose dtype counts.
        array: Any shape; int4 as int8.
    """
    if tensor.dtype != "int4":
        dtype = weight_values.STORED_DTYPES.get(tensor.dtype, "V0")
        return array.astype(dtype).tobytes()
    flat = array.astype(np.int8).reshape(-1).view(np.uint8) & np.uint8(0x0F)
    pairs = np.pad(flat, (0, len(flat) % 2)).reshape(-1, 2)
    return (pairs[:, 0] | (pairs[:, 1] << np.uint8(4))).tobytes()


def is_replaceable(model: flatbuffer.Model, index: int) -> bool:
    """Whether no other tensor or entry shares a main graph's tensor's bytes.

    Args:
        model: The file.
        index: Of a tensor of the main graph.
    """
    tensor = model.subgraphs[0].tensors[index]
    start, size = model.buffers[tensor.buffer]
    if tensor.is_external or tensor.sparsity is not None or not size:
        return False
    used = [t.buffer for graph in model.subgraphs for t in graph.tensors]
    used += [buffer for _, buffer in model.metadata]
    sharing = sum(
        begin < start + size and start < begin + length
        for begin, length in (model.buffers[i] for i in used)
    )
    return sharing == 1


def replace(
    source: pathlib.Path,
    destination: pathlib.Path,
    values: Mapping[int, np.ndarray],
) -> None:
    """Writes a copy of a file with other values.

    Args:
        source: A `.tflite`.
        destination: Written whole or not at all.
        values: By tensor of the main graph: of the stored shape and dtype,
            int4 as int8.

    Raises:
        ModelError: If a tensor is shared with another or of another size.
    """
    model = flatbuffer.read(source)
    content = bytearray(model.content)
    for index, array in values.items():
        tensor = model.subgraphs[0].tensors[index]
        start, size = model.buffers[tensor.buffer]
        stored = encoded(tensor, array)
        if len(stored) != size or not is_replaceable(model, index):
            raise errors.ModelError(
                "Replaced values must take the place of as many others that "
                f"no other tensor shares. Received: tensor={tensor.name!r}, "
                f"{len(stored)} bytes for {size}."
            )
        content[start : start + size] = stored
    files.write_bytes(destination, bytes(content))
