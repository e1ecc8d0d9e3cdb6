# SPDX-License-Identifier: Apache-2.0
"""Real values to and from the integers of a quantized tensor.

The rules of TFLite's QUANTIZE and DEQUANTIZE; knows nothing of models.

References:
    Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", 2018, equation 1.
    https://arxiv.org/abs/1712.05877
"""

import numpy as np

from tflite_opt.records import errors, facts


def is_quantized(spec: facts.TensorSpec) -> bool:
    """Whether integers of this tensor stand for real values."""
    return bool(spec.scale) and np.dtype(spec.dtype).kind in "iu"


def quantize(values: np.ndarray, spec: facts.TensorSpec) -> np.ndarray:
    """Returns round(values * (1 / scale)) + zero_point, saturated.

    Bit by bit what the runtime's own QUANTIZE gives, with and without XNNPACK:
    a multiplication in float32, then halves to the even integer. (TFLite's
    reference kernel divides, and rounds halves away from zero.)

    Args:
        values: Any shape, floating.
        spec: One scale and zero point.

    Returns:
        Same shape as `values`, of the tensor's dtype.

    Raises:
        DataError: If a value is NaN.
    """
    if np.isnan(values).any():
        raise errors.DataError(
            "Data for a quantized input must be numbers. "
            f"Received: NaN for input {spec.name!r}."
        )
    limits = np.iinfo(np.dtype(spec.dtype))
    inverse = np.float32(1) / np.float32(spec.scale[0])
    rounded = np.rint(values.astype(np.float32) * inverse)
    shifted = rounded.astype(np.float64) + spec.zero_point[0]
    return np.clip(shifted, limits.min, limits.max).astype(spec.dtype)


def dequantize(values: np.ndarray, spec: facts.TensorSpec) -> np.ndarray:
    """Returns (values - zero_point) * scale.

    Args:
        values: Any shape, of the tensor's dtype.
        spec: One scale and zero point.

    Returns:
        Same shape as `values`, float32.
    """
    centered = values.astype(np.int64) - spec.zero_point[0]
    return centered.astype(np.float32) * np.float32(spec.scale[0])
