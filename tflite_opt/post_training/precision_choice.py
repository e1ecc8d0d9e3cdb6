# SPDX-License-Identifier: Apache-2.0
"""Which operations get which precision, by a scan's costs and a budget.

Costs and bytes are sums over operations, so that the best choice under a
budget is a small integer program, which is solved exactly. What the sums leave
out, such as errors that cancel, is why results are measured afterwards.
"""

import dataclasses

import numpy as np

from tflite_opt.records import sensitivity

# Bytes of a weight that int4 saves and that float32 adds, against int8.
_INT4_SAVES, _FLOAT_ADDS = 0.5, 3
_MAX_PREFIX_FRACTION = 0.5
# What has kernels for int4, and for int8 weights with float activations.
_HAS_KERNELS = frozenset({"CONV_2D", "FULLY_CONNECTED"})
# Against choices that cost the same and are larger.
_TIE_BREAK = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
    """Precisions of all operations.

    Attributes:
        float_prefix: Operations in float, from the first.
        dynamic_last_layer: Whether the last layer has float outputs.
        int4: Output tensors of the operations with int4 weights, in order;
            everything else is int8.
        cost: Expected divergence.
        size_bytes: Expected size of the file.
    """

    float_prefix: int
    dynamic_last_layer: bool
    int4: tuple[str, ...]
    cost: float
    size_bytes: int


def front(
    found: sensitivity.Sensitivity, int8_bytes: int, count: int
) -> list[Choice]:
    """Returns the best choices for sizes from the smallest to the largest.

    Args:
        found: Scan of the float model.
        int8_bytes: Size of the file with int8 throughout.
        count: Most choices to return.

    Returns:
        By size, without those that another one is better than.
    """
    program = _Program(found, int8_bytes)
    smallest, largest = program.extreme_bytes()
    choices = [
        program.solve(budget)
        for budget in np.linspace(smallest, largest, count)
    ]
    choices += [program.solve(int8_bytes)]
    kept: list[Choice] = []
    for choice in sorted(
        (x for x in choices if x), key=lambda x: (x.size_bytes, x.cost)
    ):
        if not kept or choice.cost < kept[-1].cost:
            kept.append(choice)
    return kept


def choose(
    found: sensitivity.Sensitivity, int8_bytes: int, max_bytes: float
) -> Choice | None:
    """Returns the choice with the least cost for a size; None without any.

    Args:
        found: Scan of the float model.
        int8_bytes: Size of the file with int8 throughout.
        max_bytes: The budget.
    """
    return _Program(found, int8_bytes).solve(max_bytes)


class _Program:
    """Binary variables: length of the prefix, dynamic end, int4 by operation.

    Of the lengths exactly one is chosen.
    """

    def __init__(self, found: sensitivity.Sensitivity, int8_bytes: int) -> None:
        self._found, self._int8_bytes = found, int8_bytes
        operations = found.operations
        most = int(_MAX_PREFIX_FRACTION * len(operations))
        self._lengths = list(range(most + 1))
        weighted = [x for x in operations if x.int4_cost is not None]
        self._last = weighted[-1] if weighted else None
        self._int4 = [x for x in weighted if x.operation in _HAS_KERNELS]
        self._total = found.prefix_cost(len(operations)) or 1.0
        self._costs = np.array(
            [
                *(-found.prefix_cost(k) if k else 0.0 for k in self._lengths),
                -self._last.activation_cost if self._last else 0.0,
                *(
                    (x.int4_cost or 0.0) - (x.weight_cost or 0.0)
                    for x in self._int4
                ),
            ]
        )
        self._bytes = np.array(
            [
                *(
                    _FLOAT_ADDS * sum(x.parameters for x in operations[:k])
                    for k in self._lengths
                ),
                0.0,
                *(-_INT4_SAVES * x.parameters for x in self._int4),
            ]
        )

    def extreme_bytes(self) -> tuple[float, float]:
        """Returns the least and the largest size."""
        after = len(self._lengths)
        least, largest = (
            self._int8_bytes + float(x)
            for x in (
                self._bytes[after:].sum(),
                self._bytes[:after].max(initial=0.0),
            )
        )
        return least, largest

    def solve(self, max_bytes: float) -> Choice | None:
        """Returns the choice of least cost that is small enough."""
        # It takes longer to import than all of a program's start.
        from scipy import optimize

        scaled_bytes = self._bytes / self._int8_bytes
        limit = max_bytes / self._int8_bytes - 1
        rows, low, high = self._rules()
        solved = optimize.milp(
            # Solvers take what is below their tolerance for zero.
            self._costs / self._total + _TIE_BREAK * scaled_bytes,
            constraints=[
                optimize.LinearConstraint(scaled_bytes[np.newaxis], ub=limit),
                optimize.LinearConstraint(rows, low, high),
            ],
            integrality=np.ones(len(self._costs)),
            bounds=optimize.Bounds(0, self._most()),
            options={"mip_rel_gap": 0.0},
        )
        if solved.x is None:
            return None
        chosen = np.rint(solved.x)
        after = len(self._lengths)
        return Choice(
            float_prefix=int(chosen[:after].argmax()),
            dynamic_last_layer=bool(chosen[after]),
            int4=tuple(
                x.output
                for x, is_chosen in zip(
                    self._int4, chosen[after + 1 :], strict=True
                )
                if is_chosen
            ),
            cost=self._found.prefix_cost(len(self._found.operations))
            + float(self._costs @ chosen),
            size_bytes=round(self._int8_bytes + float(self._bytes @ chosen)),
        )

    def _most(self) -> np.ndarray:
        """Returns the upper bounds of the variables."""
        most = np.ones(len(self._costs))
        can_be_dynamic = self._last and self._last.operation in _HAS_KERNELS
        most[len(self._lengths)] = 1.0 if can_be_dynamic else 0.0
        return most

    def _rules(self) -> tuple[np.ndarray, list[float], list[float]]:
        """Returns rows of coefficients with their lower and upper limits."""
        after, size = len(self._lengths), len(self._costs)
        one_length = np.zeros(size)
        one_length[:after] = 1
        rows, low = [one_length], [1.0]
        for index, operation in enumerate(self._int4):
            # An operation of the prefix is float.
            row = np.zeros(size)
            row[after + 1 + index] = 1
            row[operation.position + 1 : after] = 1
            if operation is self._last:
                row[after] = 1
            rows.append(row)
            low.append(-np.inf)
        return np.array(rows), low, [1.0] * len(rows)
