# SPDX-License-Identifier: Apache-2.0
"""Ranges of activations that leave out what is rare, instead of the true ones.

Clipping makes the steps of everything else finer. At 8 bits that gains next to
nothing, and what is clipped in the last tensor costs most: there the largest
values decide, so it always keeps its true range. Of the ways to choose a range,
OCTAV is worth an option; the others are what other tools do, to compare with.

References:
    Sakr et al., "Optimal Clipping and Magnitude-aware Differentiation for
    Improved Quantization-aware Training" (OCTAV), 2022, equation 6.
    https://arxiv.org/abs/2206.06501
"""

import pathlib
from collections.abc import Callable, Mapping

import numpy as np

from tflite_opt.post_training import layers, operation_runner
from tflite_opt.records import conversion
from tflite_opt.tflite import flatbuffer

_MAX_ITERATIONS = 20
_TOLERANCE = 1e-4
# Of a tensor, over all examples.
_MAX_VALUES = 1 << 18
# Percent of the values that are lost on each side.
_LOST_PERCENT = 0.005
# Of LiteRT Quantizer's own calibration.
_MOMENTUM = 0.95
# Of the true range, to find the one with the least error.
_FRACTIONS = np.linspace(0.2, 1.0, 41)

_Range = tuple[float, float]


def octav_magnitude(values: np.ndarray, num_bits: int) -> float:
    """Returns the magnitude at which clipping makes the error least.

    Newton's method on the sum of the errors of clipping and of rounding.
    Values of one sign get all levels on their side, so that their steps are
    half as wide.

    Args:
        values: Any shape, not empty.
        num_bits: Of the integers.

    Returns:
        At most the largest magnitude; 0.0 if all values are 0.
    """
    magnitudes = np.abs(values).astype(np.float64)
    largest = float(magnitudes.max())
    is_one_sided = bool(values.min() >= 0 or values.max() <= 0)
    rounding = 4.0**-num_bits / (12 if is_one_sided else 3)
    clip = float(magnitudes.mean())
    for _ in range(_MAX_ITERATIONS):
        beyond = magnitudes > clip
        weight = rounding * np.mean(~beyond) + np.mean(beyond)
        following = float((magnitudes * beyond).mean() / weight)
        if abs(following - clip) <= _TOLERANCE * clip:
            break
        clip = following
    return min(clip, largest)


def activation_ranges(
    model: pathlib.Path,
    inputs: Mapping[str, np.ndarray],
    num_bits: int,
    algorithm: conversion.ActivationRanges,
) -> dict[str, _Range]:
    """Returns ranges for the activations of a float model that may be clipped.

    Args:
        model: A float `.tflite`.
        inputs: Calibration data by name, shape `(n, ...)`.
        num_bits: Of the integers that activations become.
        algorithm: `octav`, `mse` (the fraction of the true range with the
            least squared error), `percentile` (of the values, 99.99 % are
            kept) or `moving_average` (of the extremes of single examples, with
            momentum 0.95). Not `min_max`, which clips nothing.

    Returns:
        Lowest and highest value by name of the tensor; without inputs,
        outputs, and what the last layer with weights gives.

    Raises:
        ModelError: If it cannot be run operation after operation.
        DataError: If the inputs do not fit.
    """
    find = _ALGORITHMS[algorithm]
    some = operation_runner.affordable(model, inputs)
    runner = operation_runner.OperationRunner(model, some)
    graph = runner.graph
    kept = _last_tensors(graph)
    random = np.random.default_rng(0)
    found = {}
    for position, operator in enumerate(graph.operators):
        runner.run_before(position)
        for index in operator.inputs:
            tensor = graph.tensors[index]
            if (
                index == -1
                or index in kept
                or index in graph.inputs
                or runner.model.is_constant(tensor)
                or tensor.dtype != "float32"
                or tensor.name in found
            ):
                continue
            values = runner.value(index).reshape(runner.num_examples, -1)
            per_example = max(1, _MAX_VALUES // len(values))
            if per_example < values.shape[1]:
                values = random.choice(
                    values, per_example, replace=False, axis=1
                )
            found[tensor.name] = find(values, num_bits)
    return found


def _octav(values: np.ndarray, num_bits: int) -> _Range:
    largest = octav_magnitude(values, num_bits)
    return -largest, largest


def _mse(values: np.ndarray, num_bits: int) -> _Range:
    low, high = _with_zero(values.min(), values.max())

    def squared_error(fraction: float) -> float:
        step = (high - low) * fraction / (2**num_bits - 1) or 1.0
        clipped = np.clip(values, low * fraction, high * fraction)
        return float(np.square(np.rint(clipped / step) * step - values).sum())

    best = float(min(_FRACTIONS, key=squared_error))
    return low * best, high * best


def _percentile(values: np.ndarray, num_bits: int) -> _Range:
    del num_bits
    return _with_zero(
        *np.percentile(values, [_LOST_PERCENT, 100 - _LOST_PERCENT])
    )


def _moving_average(values: np.ndarray, num_bits: int) -> _Range:
    del num_bits
    low, high = values.min(axis=1), values.max(axis=1)
    ages = np.arange(len(values))[::-1]
    weights = _MOMENTUM**ages * np.where(ages == ages[0], 1, 1 - _MOMENTUM)
    return _with_zero(weights @ low, weights @ high)


def _with_zero(low: float, high: float) -> _Range:
    return min(float(low), 0.0), max(float(high), 0.0)


_ALGORITHMS: Mapping[str, Callable[[np.ndarray, int], _Range]] = {
    "octav": _octav,
    "mse": _mse,
    "percentile": _percentile,
    "moving_average": _moving_average,
}


def _last_tensors(graph: flatbuffer.Subgraph) -> set[int]:
    """Returns the outputs and what leads to them from the last layers."""
    writers = {
        tensor: operator
        for operator in graph.operators
        for tensor in operator.outputs
    }
    found: set[int] = set()
    pending = list(graph.outputs)
    while pending:
        tensor = pending.pop()
        if tensor in found:
            continue
        found.add(tensor)
        operator = writers.get(tensor)
        if operator is not None and operator.name not in layers.KINDS:
            pending += [i for i in operator.inputs if i != -1]
    return found
