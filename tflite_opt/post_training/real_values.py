# SPDX-License-Identifier: Apache-2.0
"""Real values of a tensor's integers, with one scale or one per channel."""

import numpy as np

from tflite_opt.tflite import flatbuffer


def dequantize(values: np.ndarray, tensor: flatbuffer.Tensor) -> np.ndarray:
    """Returns (values - zero point) * scale; floats as they are.

    Args:
        values: Shape (n, *shape) or `shape`, of the tensor's dtype.
        tensor: Whose they are.

    Returns:
        Same shape, float32.
    """
    if not len(tensor.scale):
        return values.astype(np.float32)
    if len(tensor.scale) == 1:
        zero = tensor.zero_point[0] if len(tensor.zero_point) else 0
        centered = values.astype(np.float32) - np.float32(zero)
        return centered * tensor.scale[0]
    shape = [1] * len(tensor.shape)
    shape[tensor.quantized_dimension] = -1
    # Weights with a scale per channel are symmetric.
    return values.astype(np.float32) * tensor.scale.reshape(shape)


def quantize(values: np.ndarray, tensor: flatbuffer.Tensor) -> np.ndarray:
    """Returns the nearest integers of a tensor with one scale.

    Args:
        values: Real, any shape.
        tensor: Whose integers they become; values stay as they are if it is
            not quantized.

    Returns:
        Same shape, of the tensor's dtype.
    """
    if len(tensor.scale) != 1:
        return values
    limits = np.iinfo(tensor.dtype)
    zero = tensor.zero_point[0] if len(tensor.zero_point) else 0
    levels = np.rint(values / tensor.scale[0]) + zero
    return np.clip(levels, limits.min, limits.max).astype(tensor.dtype)
