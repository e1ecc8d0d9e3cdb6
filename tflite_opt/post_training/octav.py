# SPDX-License-Identifier: Apache-2.0
"""Ranges of activations with the least squared error, instead of the true ones.

Clipping what is rare makes the steps of everything else finer. At 8 bits that
gains next to nothing, and what is clipped in the last tensor costs most: there
the largest values decide, so it always keeps its true range.

References:
    Sakr et al., "Optimal Clipping and Magnitude-aware Differentiation for
    Improved Quantization-aware Training" (OCTAV), 2022, equation 6.
    https://arxiv.org/abs/2206.06501
"""

import pathlib
from collections.abc import Mapping

import numpy as np

from tflite_opt.post_training import layers, operation_runner
from tflite_opt.tflite import flatbuffer

_MAX_ITERATIONS = 20
_TOLERANCE = 1e-4
# Of a tensor, over all examples.
_MAX_VALUES = 1 << 18


def clipping_value(values: np.ndarray, num_bits: int) -> float:
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
    model: pathlib.Path, inputs: Mapping[str, np.ndarray], num_bits: int
) -> dict[str, tuple[float, float]]:
    """Returns ranges for the activations of a float model that may be clipped.

    Args:
        model: A float `.tflite`.
        inputs: Calibration data by name, shape `(n, ...)`.
        num_bits: Of the integers that activations become.

    Returns:
        Lowest and highest value by name of the tensor; without inputs,
        outputs, and what the last layer with weights gives.

    Raises:
        ModelError: If it cannot be run operation after operation.
        DataError: If the inputs do not fit.
    """
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
            values = runner.value(index).reshape(-1)
            if len(values) > _MAX_VALUES:
                values = random.choice(values, _MAX_VALUES, replace=False)
            clip = clipping_value(values, num_bits)
            found[tensor.name] = -clip, clip
    return found


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
