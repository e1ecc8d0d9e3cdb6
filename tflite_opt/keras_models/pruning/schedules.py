# SPDX-License-Identifier: Apache-2.0
"""At which step how much of a kernel becomes zero; TF-MOT's schedules."""

from typing import Any

import numpy as np

from tflite_opt.records import pruning

_DEFAULT_UPDATES = 20


def updates(
    timing: pruning.Timing, final_sparsity: float, num_steps: int
) -> dict[int, float]:
    """Returns the steps before which zeros are chosen, and how many.

    The last choice is always the final one: TF-MOT's schedules alone stay
    below the final sparsity if `frequency` does not divide the way to `end`.

    Args:
        timing: When the zeros come.
        final_sparsity: Fraction of zeros after the last choice.
        num_steps: Steps of the whole training; at least 1.

    Returns:
        From the step, counted from 0, to the fraction of zeros; ascending.
    """
    first = min(round(timing.begin * num_steps), num_steps - 1)
    last = min(round(timing.end * num_steps), num_steps - 1)
    if timing.schedule == "constant" or first == last:
        return {first: final_sparsity}
    frequency = timing.frequency or max(1, (last - first) // _DEFAULT_UPDATES)
    schedule = _polynomial(timing, final_sparsity, first, last, frequency)
    due, sparsity = schedule(np.arange(num_steps))
    chosen = np.flatnonzero(due)
    found = dict(zip(chosen.tolist(), sparsity.numpy()[chosen], strict=True))
    return {step: float(x) for step, x in found.items()} | {
        last: final_sparsity
    }


def _polynomial(
    timing: pruning.Timing,
    final_sparsity: float,
    first: int,
    last: int,
    frequency: int,
) -> Any:
    from tensorflow_model_optimization.sparsity import keras as sparsity

    return sparsity.PolynomialDecay(
        initial_sparsity=min(timing.initial_sparsity, final_sparsity),
        final_sparsity=final_sparsity,
        begin_step=first,
        end_step=last,
        frequency=frequency,
    )
