# SPDX-License-Identifier: Apache-2.0
"""How far the outputs of a model are from those of its float parent."""

import dataclasses
import pathlib
from collections.abc import Mapping

import numpy as np

from tflite_opt.post_training import operation_runner, real_values
from tflite_opt.tflite import flatbuffer

# All values of each tensor are in memory.
_BATCH_SIZE = 50
# What stands behind the softmax in a file with another interface.
_TRANSPARENT = frozenset({"DEQUANTIZE", "QUANTIZE"})

Examples = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Distance:
    """How far a model is from its float parent.

    Attributes:
        divergence: For probabilities the mean Kullback-Leibler divergence in
            nats, from before the softmax; for other outputs the mean squared
            error as a fraction of their variance. Summed over outputs.
        agreement: Fraction of examples with the same most likely class; None
            if no output is one of probabilities.
        tied_fraction: Share of examples whose two most likely classes have
            the same value, so that the first of them is predicted; None
            likewise.
    """

    divergence: float
    agreement: float | None
    tied_fraction: float | None = None

    def __str__(self) -> str:
        """One phrase."""
        if self.agreement is None:
            return f"relative error {self.divergence:.2e}"
        return f"KL {self.divergence:.2e} and agreement {self.agreement:.1%}"


def distance(
    parent: pathlib.Path, path: pathlib.Path, held_out: Examples
) -> Distance:
    """Returns how far a model is from its float parent.

    Args:
        parent: The float `.tflite`.
        path: What was made of it.
        held_out: By input name, shape (n, ...).

    Raises:
        ModelError: If a model cannot be run operation after operation.
        DataError: If the examples do not fit.
    """
    expected = outputs(parent, held_out)
    return compare(expected, outputs(path, held_out))[0]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Output:
    """Real values, shape (n, ...); logits where a softmax follows."""

    values: np.ndarray
    is_logits: bool


def outputs(path: pathlib.Path, inputs: Examples) -> list[Output]:
    """Returns the outputs of a model, in its order.

    Args:
        path: A `.tflite`.
        inputs: By input name, shape (n, ...).

    Raises:
        ModelError: If it cannot be run operation after operation.
        DataError: If the examples do not fit.
    """
    count = len(next(iter(inputs.values())))
    parts = [
        _outputs_of_batch(
            path,
            {k: x[begin : begin + _BATCH_SIZE] for k, x in inputs.items()},
        )
        for begin in range(0, count, _BATCH_SIZE)
    ]
    return [
        Output(
            values=np.concatenate([part.values for part in same]),
            is_logits=same[0].is_logits,
        )
        for same in zip(*parts, strict=True)
    ]


def watched(graph: flatbuffer.Subgraph) -> dict[int, tuple[int, int]]:
    """Returns where to look at each output.

    Returns:
        By output tensor, how many operations to run and which tensor to look
        at then: in front of a softmax, what goes into it.
    """
    writer = {
        operator.outputs[0]: (position, operator)
        for position, operator in enumerate(graph.operators)
    }
    plans = {}
    for output in graph.outputs:
        position, operator = writer.get(output, (0, None))
        if operator is not None and operator.name in _TRANSPARENT:
            position, operator = writer.get(operator.inputs[0], (0, None))
        if operator is not None and operator.name == "SOFTMAX":
            plans[output] = position, operator.inputs[0]
        else:
            plans[output] = len(graph.operators), output
    return plans


def _outputs_of_batch(path: pathlib.Path, inputs: Examples) -> list[Output]:
    runner = operation_runner.OperationRunner(path, inputs)
    graph = runner.graph
    plans = watched(graph)
    found: dict[int, Output] = {}
    for output, (position, tensor) in sorted(
        plans.items(), key=lambda item: item[1]
    ):
        runner.run_before(position)
        found[output] = Output(
            values=real_values.dequantize(
                runner.value(tensor), graph.tensors[tensor]
            ),
            is_logits=tensor != output,
        )
    return [found[output] for output in graph.outputs]


def compare(
    expected: list[Output], found: list[Output]
) -> tuple[Distance, np.ndarray]:
    """Returns the distance of outputs, and which predictions agree.

    Args:
        expected: Of the float model.
        found: Of the other one, for the same examples.

    Returns:
        The second of shape (predictions,), bool; empty if nothing is
        predicted.
    """
    # Takes as long to import as everything else in this package.
    from scipy import special

    divergence = 0.0
    agrees, tied = [np.empty(0, bool)], [np.empty(0, bool)]
    for wanted, given in zip(expected, found, strict=True):
        if wanted.is_logits and given.is_logits:
            width = wanted.values.shape[-1]
            p, q = (
                special.log_softmax(
                    x.values.reshape(-1, width).astype(np.float64), axis=1
                )
                for x in (wanted, given)
            )
            divergence += float((np.exp(p) * (p - q)).sum(axis=1).mean())
            agrees.append(p.argmax(axis=1) == q.argmax(axis=1))
            largest = given.values.reshape(-1, width).max(axis=1, keepdims=True)
            at_top = given.values.reshape(-1, width) == largest
            tied.append(at_top.sum(axis=1) > 1)
        else:
            error = np.mean((wanted.values - given.values) ** 2)
            divergence += float(error / (wanted.values.var() or 1.0))
    every, ties = np.concatenate(agrees), np.concatenate(tied)
    found_distance = Distance(
        divergence=divergence,
        agreement=float(every.mean()) if len(every) else None,
        tied_fraction=float(ties.mean()) if len(ties) else None,
    )
    return found_distance, every
