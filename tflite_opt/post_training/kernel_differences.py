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
# Of floats, as fractions of the largest value.
_FLOAT_STEP = facts.MAX_RELATIVE_DIFFERENCE / facts.MAX_QUANTA
_DYNAMIC_STEP = 1 / 255


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
    graph = runner.graph
    operator = graph.operators[position]
    given = {
        tensor: runner.value(tensor)
        for tensor in dict.fromkeys(operator.inputs)
        if runner.has(tensor)
    }
    default = runner.outputs_for(position, given, "xnnpack")
    builtin = runner.outputs_for(position, given, "none")
    is_dynamic = any(
        graph.tensors[i].dtype in facts.INTEGER_WEIGHT_DTYPES
        for i in operator.inputs
        if i != -1
    )
    # Dynamic kernels round their float inputs to 8 bits, each in its own way.
    step = _DYNAMIC_STEP if is_dynamic else _FLOAT_STEP
    return max(_steps(default[x], builtin[x], step) for x in operator.outputs)


def _steps(first: np.ndarray, second: np.ndarray, step: float) -> float:
    """Returns the largest difference in steps.

    Args:
        first: Values of the tensor's dtype.
        second: Of the same shape and dtype.
        step: Of floats, as a fraction of the largest value; that of integers
            is 1.
    """
    exact = second.astype(np.float64)
    apart = float(np.abs(first - exact).max(initial=0.0))
    if first.dtype.kind != "f":
        return apart
    largest = float(np.abs(exact).max(initial=0.0)) or 1.0
    return apart / largest / step
