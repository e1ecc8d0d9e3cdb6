# SPDX-License-Identifier: Apache-2.0
"""Which operations to leave in float, wherever they are, by a scan's costs.

A few constants that int8 destroys may stand anywhere, and a prefix that
reaches them would be most of the model. What one operation saves depends on
which others are float, so that this is an integer program; it is solved
exactly, for costs that add up. They do so roughly, which is why results are
measured afterwards.
"""

import collections

import numpy as np

from tflite_opt.records import sensitivity

# More of the operations, or of the parameters, would be a float model with some
# int8.
_MAX_FRACTION = 0.5
# Operations that the whole cost is worth: less than one, so that it decides
# only between equally many.
_TIE_BREAK = 0.5


def fewest(
    found: sensitivity.Sensitivity, share: float
) -> tuple[sensitivity.OperationSensitivity, ...] | None:
    """Returns the fewest operations that save a part of what integers cost.

    Of equally many, those that save most. An operation whose output's name is
    empty or not its own is never one of them: no rule could mean it.

    Args:
        found: Scan of the float model.
        share: Of the cost of all operations, in (0, 1].

    Returns:
        In execution order; None if half of the operations, with half of the
        parameters, are not enough.
    """
    total = found.total_cost
    if not total > 0:
        return None
    # It takes longer to import than all of a program's start.
    from scipy import optimize

    program = _Program(found)
    saved = program.savings / total
    counts = np.stack([program.is_operation, program.parameters])
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    solved = optimize.milp(
        program.is_operation - _TIE_BREAK * saved,
        constraints=[
            optimize.LinearConstraint(saved[np.newaxis], lb=share),
            optimize.LinearConstraint(fractions, ub=_MAX_FRACTION),
            optimize.LinearConstraint(program.ties, ub=0),
        ],
        integrality=program.is_operation,
        bounds=optimize.Bounds(0, program.most),
    )
    if solved.x is None:
        return None
    return tuple(
        operation
        for operation, is_chosen in zip(
            found.operations, np.rint(solved.x), strict=False
        )
        if is_chosen
    )


class _Program:
    """Variables: each operation in float, and each of their outputs, inputs.

    Attributes:
        savings: By variable; the inputs of the model come last.
        is_operation: 1.0 for the operations, which come first, else 0.0.
        parameters: Of the operations, else 0.0.
        most: Upper bounds.
        ties: Rows that are at most 0: an output is float only if what writes
            it is, and all that read it.
    """

    def __init__(self, found: sensitivity.Sensitivity) -> None:
        operations = found.operations
        count = len(operations)
        self.savings = np.array(
            [
                *(x.weight_cost or 0.0 for x in operations),
                *(x.activation_cost for x in operations),
                found.input_cost,
            ]
        )
        self.is_operation = np.repeat([1.0, 0.0], [count, count + 1])
        self.parameters = np.zeros(2 * count + 1)
        self.parameters[:count] = [x.parameters for x in operations]
        self.most = np.ones(2 * count + 1)
        names = collections.Counter(x.output for x in operations)
        for x in operations:
            if not x.output or names[x.output] > 1:
                self.most[x.position] = 0.0
        pairs = [
            (count + x.position, needed)
            for x in operations
            for needed in (x.position, *x.readers)
        ]
        pairs += [(2 * count, needed) for needed in found.input_readers]
        self.ties = np.zeros((len(pairs), len(self.savings)))
        for row, (output, needed) in zip(self.ties, pairs, strict=True):
            row[output], row[needed] = 1.0, -1.0
