# SPDX-License-Identifier: Apache-2.0
"""The inputs and outputs of a prepared model: names, checks, dtypes.

Works on the runtime's descriptions of tensors; never runs anything.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.records import errors, examples, facts
from tflite_opt.tflite import quantization

Details = Mapping[str, Any]


def specs(
    details: Sequence[Details], names: Mapping[int, str], kind: str
) -> tuple[facts.TensorSpec, ...]:
    """Returns what the tensors expect or give.

    Args:
        details: As the runtime describes them.
        names: From tensor index to the name in the signature.
        kind: Stands for a name where there is none, or not a unique one.

    Raises:
        ValueError: If a scale is not finite.
    """
    found = [names.get(d["index"], d["name"]) for d in details]
    if "" in found or len(set(found)) < len(found):
        found = [f"{kind}_{position}" for position in range(len(found))]
    return tuple(_spec(name, d) for name, d in zip(found, details, strict=True))


def _spec(name: str, details: Details) -> facts.TensorSpec:
    parameters = details["quantization_parameters"]
    shape = details["shape_signature"]
    if not len(shape):
        shape = details["shape"]
    return facts.TensorSpec(
        name=name,
        shape=tuple(shape.tolist()),
        dtype=np.dtype(details["dtype"]).name,
        scale=tuple(parameters["scales"].tolist()),
        zero_point=tuple(parameters["zero_points"].tolist()),
    )


def stored_examples(
    inputs: Sequence[facts.TensorSpec], outputs: Sequence[facts.TensorSpec]
) -> int:
    """Returns how many examples the file's inputs are made for, mostly 1.

    Raises:
        ModelError: If the inputs have no such dimension in common, or a
            tensor is quantized with several scales.
    """
    sizes = {spec.shape[0] if spec.shape else 0 for spec in inputs}
    if len(sizes) != 1 or 0 in sizes:
        shapes = {spec.name: spec.shape for spec in inputs}
        raise errors.ModelError(
            "The first dimension of all inputs must be that of the examples. "
            f"Received: {shapes}."
        )
    for spec in (*inputs, *outputs):
        if quantization.is_quantized(spec) and len(spec.scale) != 1:
            raise errors.ModelError(
                "Inputs and outputs must have one scale. "
                f"Received: tensor={spec.name!r}, scales={len(spec.scale)}."
            )
    # An open dimension is 1 until it is resized.
    return abs(sizes.pop())


def count_examples(
    inputs: Mapping[str, examples.Examples],
    expected: Sequence[facts.TensorSpec],
) -> int:
    """Checks inputs against a model's; looks at no values.

    Returns:
        The number of examples.

    Raises:
        DataError: If a name, shape or dtype does not fit.
    """
    names = [spec.name for spec in expected]
    if sorted(inputs) != sorted(names):
        raise errors.DataError(
            "Inputs must be named as in the model. "
            f"Received: {sorted(inputs)}. Expected: {names}."
        )
    counts = {x.shape[0] if x.shape else 0 for x in inputs.values()}
    if len(counts) > 1 or 0 in counts:
        raise errors.DataError(
            "Inputs must have the same number of examples, at least 1. "
            f"Received: {sorted(counts)}."
        )
    for spec in expected:
        _check(inputs[spec.name], spec)
    return counts.pop()


def _check(array: examples.Examples, spec: facts.TensorSpec) -> None:
    fits = len(array.shape) == len(spec.shape) and all(
        wanted in (-1, given)
        for given, wanted in zip(array.shape[1:], spec.shape[1:], strict=True)
    )
    if not fits:
        example = ", ".join(str(size) for size in spec.shape[1:])
        raise errors.DataError(
            f"Input {spec.name!r} must have the shape (n, {example}). "
            f"Received: shape={array.shape}."
        )
    dtype = np.dtype(spec.dtype)
    floating = array.dtype.kind == "f"
    if array.dtype == dtype:
        return
    if floating and (dtype.kind == "f" or quantization.is_quantized(spec)):
        return
    integers = array.dtype.kind in "iu" and dtype.kind in "iu"
    if not integers or quantization.is_quantized(spec):
        raise errors.DataError(
            f"Input {spec.name!r} must be of dtype {spec.dtype}"
            f"{' or floating' if quantization.is_quantized(spec) else ''}. "
            f"Received: dtype={array.dtype}."
        )


def to_raw(values: np.ndarray, spec: facts.TensorSpec) -> np.ndarray:
    """Returns values that `count_examples` took as an input wants them.

    Returns:
        The same shape, in the input's dtype, contiguous.

    Raises:
        DataError: If a value cannot be represented.
    """
    if values.dtype.kind == "f" and quantization.is_quantized(spec):
        values = quantization.quantize(values, spec)
    dtype = np.dtype(spec.dtype)
    if dtype.kind in "iu" and values.dtype != dtype:
        limits = np.iinfo(dtype)
        if values.min() < limits.min or values.max() > limits.max:
            raise errors.DataError(
                f"Input {spec.name!r} must hold values of dtype {spec.dtype}. "
                f"Received: values from {values.min()} to {values.max()}."
            )
    return np.ascontiguousarray(values, dtype=dtype)


def to_real(values: np.ndarray, spec: facts.TensorSpec) -> np.ndarray:
    """Returns an output's values dequantized, if it is quantized."""
    if quantization.is_quantized(spec):
        return quantization.dequantize(values, spec)
    return values
