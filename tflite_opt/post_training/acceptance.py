# SPDX-License-Identifier: Apache-2.0
"""Whether a changed model is closer to its float parent than before.

Judged on calibration examples that the change was not fitted to, and never by
labels. Every change that is meant to help may hurt: on a model whose weights
lay on an int8 grid already, bias correction made the divergence 30 % to 60 %
worse.
"""

import dataclasses
import pathlib
from collections.abc import Mapping

import numpy as np

from tflite_opt.post_training import operation_runner, real_values
from tflite_opt.records import errors

_MIN_EXAMPLES = 8
# Enough to fit means and covariances; more only cost time.
_MAX_FITTING = 100
# All values of each tensor are in memory.
_BATCH_SIZE = 50
_SIGNIFICANCE = 0.05
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
    """

    divergence: float
    agreement: float | None

    def __str__(self) -> str:
        """One phrase."""
        if self.agreement is None:
            return f"relative error {self.divergence:.2e}"
        return f"KL {self.divergence:.2e} and agreement {self.agreement:.1%}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judgement:
    """A change and what came of it.

    Attributes:
        before: Without the change.
        after: With it.
        lost: Predictions that agreed with the parent's only before.
        gained: Predictions that agree with them only after.
        num_examples: That decided.
    """

    before: Distance
    after: Distance
    lost: int
    gained: int
    num_examples: int

    @property
    def is_better(self) -> bool:
        """Whether the divergence fell and agreement did not.

        Among a hundred examples one or two always lie between two classes:
        agreement fell if more predictions were lost than gained and chance
        does that less than once in twenty (sign test).
        """
        if self.after.divergence >= self.before.divergence:
            return False
        changed = self.lost + self.gained
        if not changed:
            return True
        # It takes longer to import than all of a program's start.
        from scipy import stats

        test = stats.binomtest(self.lost, changed, alternative="greater")
        return bool(test.pvalue >= _SIGNIFICANCE)

    def describe(self, change: str) -> str:
        """Returns one sentence about a change.

        Args:
            change: Its name.
        """
        verdict = "kept" if self.is_better else "left out"
        return (
            f"{change} {verdict}: {self.before} without it, {self.after} with "
            f"it, on {self.num_examples} calibration examples that it was not "
            "fitted to."
        )


def split(
    examples: Examples,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Returns the examples to fit with, and those to judge by.

    Args:
        examples: By input name, shape (n, ...), in any order.

    Returns:
        Every second one, at most 100; and the others.

    Raises:
        DataError: If there are too few.
    """
    count = len(next(iter(examples.values()), ()))
    if count < _MIN_EXAMPLES:
        raise errors.DataError(
            "What is fitted to calibration data needs at least "
            f"{_MIN_EXAMPLES} samples, half of them to judge it. Received: "
            f"{count}. Give more: --num_calibration."
        )
    fitting = {k: x[::2][:_MAX_FITTING] for k, x in examples.items()}
    held_out = {k: x[1::2] for k, x in examples.items()}
    return fitting, held_out


def judge(
    parent: pathlib.Path,
    before: pathlib.Path,
    after: pathlib.Path,
    held_out: Examples,
) -> Judgement:
    """Compares two models with their float parent.

    Args:
        parent: The float `.tflite`.
        before: A `.tflite` without the change.
        after: With it.
        held_out: By input name, shape (n, ...).

    Raises:
        ModelError: If a model cannot be run operation after operation.
        DataError: If the examples do not fit.
    """
    expected = _outputs(parent, held_out)
    (old, agreed), (new, agrees) = (
        _distance(expected, _outputs(path, held_out))
        for path in (before, after)
    )
    return Judgement(
        before=old,
        after=new,
        lost=int((agreed & ~agrees).sum()),
        gained=int((agrees & ~agreed).sum()),
        num_examples=len(next(iter(held_out.values()))),
    )


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class _Output:
    """Real values, shape (n, ...); logits where a softmax follows."""

    values: np.ndarray
    is_logits: bool


def _outputs(path: pathlib.Path, inputs: Examples) -> list[_Output]:
    count = len(next(iter(inputs.values())))
    parts = [
        _outputs_of_batch(
            path,
            {k: x[begin : begin + _BATCH_SIZE] for k, x in inputs.items()},
        )
        for begin in range(0, count, _BATCH_SIZE)
    ]
    return [
        _Output(
            values=np.concatenate([output.values for output in outputs]),
            is_logits=outputs[0].is_logits,
        )
        for outputs in zip(*parts, strict=True)
    ]


def _outputs_of_batch(path: pathlib.Path, inputs: Examples) -> list[_Output]:
    runner = operation_runner.OperationRunner(path, inputs)
    graph = runner.graph
    writer = {
        operator.outputs[0]: (position, operator)
        for position, operator in enumerate(graph.operators)
    }
    # By output: how many operations to run, and the tensor to look at then.
    plans = {}
    for output in graph.outputs:
        position, operator = writer.get(output, (0, None))
        if operator is not None and operator.name in _TRANSPARENT:
            position, operator = writer.get(operator.inputs[0], (0, None))
        if operator is not None and operator.name == "SOFTMAX":
            plans[output] = position, operator.inputs[0]
        else:
            plans[output] = len(graph.operators), output
    found: dict[int, _Output] = {}
    for output, (position, tensor) in sorted(
        plans.items(), key=lambda item: item[1]
    ):
        runner.run_before(position)
        found[output] = _Output(
            values=real_values.dequantize(
                runner.value(tensor), graph.tensors[tensor]
            ),
            is_logits=tensor != output,
        )
    return [found[output] for output in graph.outputs]


def _distance(
    expected: list[_Output], found: list[_Output]
) -> tuple[Distance, np.ndarray]:
    """Returns the distance, and which predictions agree."""
    from scipy import special

    divergence = 0.0
    agrees = [np.empty(0, bool)]
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
        else:
            error = np.mean((wanted.values - given.values) ** 2)
            divergence += float(error / (wanted.values.var() or 1.0))
    every = np.concatenate(agrees)
    agreement = float(every.mean()) if len(every) else None
    return Distance(divergence=divergence, agreement=agreement), every
