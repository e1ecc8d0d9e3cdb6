# SPDX-License-Identifier: Apache-2.0
"""Whether kernels differ, or a model makes much of how they round.

XNNPACK and the builtin kernels may round a product to neighbouring integers.
A model that has lost most of its signal to int8 turns such single steps into
other predictions, which says nothing about the kernels. So each operation is
run with both on the same inputs.
"""

import dataclasses
import pathlib
from collections.abc import Mapping

import numpy as np

from tflite_opt.post_training import operation_runner
from tflite_opt.records import errors, facts

_MAX_EXAMPLES = 20
# As a fraction of the largest value.
_FLOAT_STEP = facts.MAX_RELATIVE_DIFFERENCE / facts.MAX_QUANTA


def explained(
    check: facts.ResolverCheck,
    path: pathlib.Path,
    inputs: Mapping[str, np.ndarray],
) -> facts.ResolverCheck:
    """Returns a check with what single operations differ by.

    Args:
        check: Of the whole file.
        path: The file.
        inputs: By name, shape (n, ...); the first 20 are looked at.

    Returns:
        The same if it is fine already, or operations cannot be run alone.

    Raises:
        DataError: If the inputs do not fit.
    """
    if check.ok or check.prepared_by != "both":
        return check
    few = {name: array[:_MAX_EXAMPLES] for name, array in inputs.items()}
    try:
        runner = operation_runner.OperationRunner(path, few)
        quanta = max(
            (
                _difference(runner, position)
                for position in range(len(runner.graph.operators))
            ),
            default=0.0,
        )
    except errors.ModelError:
        return check
    return dataclasses.replace(check, operation_quanta=quanta)


def _difference(
    runner: operation_runner.OperationRunner, position: int
) -> float:
    """Returns the largest difference of an operation's outputs, in steps."""
    runner.run_before(position)
    operator = runner.graph.operators[position]
    given = {
        tensor: runner.value(tensor)
        for tensor in dict.fromkeys(operator.inputs)
        if runner.has(tensor)
    }
    default = runner.outputs_for(position, given, "xnnpack")
    builtin = runner.outputs_for(position, given, "none")
    rounded = _differently_rounded(runner, position, given)
    moved = (
        runner.outputs_for(position, {**given, **rounded}, "none")
        if rounded
        else builtin
    )
    return max(
        _apart(default[x], builtin[x]) / _step(builtin[x], moved[x])
        for x in operator.outputs
    )


def _apart(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first - second.astype(np.float64)).max(initial=0.0))


def _step(found: np.ndarray, moved: np.ndarray) -> float:
    """Returns by how much an output may change without meaning anything.

    Args:
        found: The output.
        moved: What it is if the inputs are rounded differently.
    """
    if found.dtype.kind != "f":
        return 1.0
    largest = _apart(found, np.zeros(1)) or 1.0
    return _apart(moved, found) or _FLOAT_STEP * largest


def _differently_rounded(
    runner: operation_runner.OperationRunner,
    position: int,
    given: Mapping[int, np.ndarray],
) -> dict[int, np.ndarray]:
    """Returns float inputs of a dynamic kernel, moved by half a step at most.

    Such a kernel rounds them to 8 bits, each in its own way: one with the
    range of an example's values, another with that of its magnitudes. What is
    zero stays zero in all of them.

    Args:
        runner: Of the operation.
        position: Of the operation.
        given: Its inputs.

    Returns:
        By tensor; empty for an operation that is not dynamic.
    """
    graph = runner.graph
    if not any(
        tensor not in given
        and tensor != -1
        and graph.tensors[tensor].dtype in facts.INTEGER_WEIGHT_DTYPES
        for tensor in graph.operators[position].inputs
    ):
        return {}
    random = np.random.default_rng(0)
    moved = {}
    for tensor, values in given.items():
        if values.dtype.kind == "f":
            each = tuple(range(1, values.ndim))
            largest = np.abs(values).max(axis=each, keepdims=True)
            move = random.uniform(-0.5, 0.5, values.shape) * largest / 127
            moved[tensor] = np.where(values, values + move, 0).astype(
                values.dtype
            )
    return moved
