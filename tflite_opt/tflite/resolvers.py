# SPDX-License-Identifier: Apache-2.0
"""Compares XNNPACK with the builtin kernels on real inputs.

Runs in this process: call it where a crash of the runtime is survived. Knows
nothing of labels; a prediction is the largest value of an output, unless that
is shaped like an input, for which it then stands.
"""

import pathlib
from collections.abc import Collection, Sequence
from concurrent import futures

import numpy as np

from tflite_opt.records import benchmark, errors, facts
from tflite_opt.tflite import interpreter, loaded_model, quantization

# Stands for a difference to infinity or NaN, which records cannot hold.
_NOT_FINITE = float(np.finfo(np.float32).max)


def compare_resolvers(
    path: pathlib.Path, inputs: loaded_model.Inputs, *, num_threads: int = 1
) -> facts.ResolverCheck:
    """Runs a file with and without XNNPACK and compares all outputs.

    Args:
        path: A `.tflite`.
        inputs: By name, shape (n, ...), from the data the model is for.
        num_threads: Threads of each interpreter.

    Raises:
        DataError: If the inputs do not fit the model.
    """
    with futures.ThreadPoolExecutor() as pool:
        default, builtin = pool.map(
            lambda delegate: _Outcome(path, inputs, delegate, num_threads),
            ("xnnpack", "none"),
        )
    count = max(len(array) for array in inputs.values())
    if default.error or builtin.error:
        return facts.ResolverCheck(
            prepared_by=(
                "xnnpack only"
                if not default.error
                else "builtin only"
                if not builtin.error
                else "none"
            ),
            num_examples=count,
            delegate_error=default.error,
            builtin_error=builtin.error,
        )
    return compare_outputs(
        default.specs,
        default.outputs,
        builtin.outputs,
        num_examples=count,
        input_shapes={x.shape for x in inputs.values()},
    )


class _Outcome:
    """Raw outputs of one resolver, or its error."""

    def __init__(
        self,
        path: pathlib.Path,
        inputs: loaded_model.Inputs,
        delegate: benchmark.Delegate,
        num_threads: int,
    ) -> None:
        self.specs: Sequence[facts.TensorSpec] = ()
        self.outputs: dict[str, np.ndarray] = {}
        self.error = ""
        try:
            model = interpreter.load(
                path, delegate=delegate, num_threads=num_threads
            )
            self.outputs = model.run_raw(inputs)
            self.specs = model.outputs
        except errors.ModelError as error:
            self.error = interpreter.reason(error)


def compare_outputs(
    specs: Sequence[facts.TensorSpec],
    default: loaded_model.Arrays,
    builtin: loaded_model.Arrays,
    *,
    num_examples: int,
    input_shapes: Collection[tuple[int, ...]],
) -> facts.ResolverCheck:
    """Compares what both resolvers gave for the same inputs.

    Args:
        specs: Of the outputs.
        default: Raw outputs with XNNPACK, by name.
        builtin: Raw outputs of the builtin kernels, of the same shapes.
        num_examples: How many examples they are for.
        input_shapes: An output of such a shape stands for an input.
    """
    quanta, relative, agreements, noises = [], [], [], []
    scores_seen, clear = False, None
    for spec in specs:
        first, second = default[spec.name], builtin[spec.name]
        if quantization.is_quantized(spec):
            apart = np.abs(first.astype(np.int64) - second.astype(np.int64))
            quanta.append(int(apart.max(initial=0)))
        elif np.dtype(spec.dtype).kind == "f":
            relative.append(_relative_difference(first, second))
        else:
            # Such an output is a decision already.
            agreements.append(float((first == second).mean()))
            continue
        if first.shape in input_shapes:
            noises.append(_noise_fraction(first, second))
        elif not scores_seen and first.ndim > 1 and first.shape[-1] > 1:
            scores_seen = True
            same = first.argmax(axis=-1) == second.argmax(axis=-1)
            agreements.append(float(same.mean()))
            leads = _is_clear(first, second)
            clear = float(same[leads].mean()) if leads.any() else None
    return facts.ResolverCheck(
        prepared_by="both",
        num_examples=num_examples,
        max_quanta=max(quanta, default=None),
        max_relative_difference=max(relative, default=None),
        top1_agreement=min(agreements, default=None),
        # Another output that decides by itself must agree, too.
        clear_agreement=clear if len(agreements) == scores_seen else None,
        noise_fraction=max(noises, default=None),
    )


def _is_clear(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns on which examples one class leads for either of them.

    Args:
        first: Scores, shape (..., classes).
        second: Of the same examples.

    Returns:
        Shape (...), bool.
    """
    wanted = second.astype(np.float64)
    margin = facts.MAX_TIE_FRACTION * float(np.ptp(wanted))
    leads = []
    for scores in (first.astype(np.float64), wanted):
        largest = np.partition(scores, -2, axis=-1)[..., -2:]
        leads.append(largest[..., 1] - largest[..., 0] > margin)
    return leads[0] | leads[1]


def _noise_fraction(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the rms difference, as a fraction of the standard deviation."""
    wanted = second.astype(np.float64)
    noise, spread = np.sqrt(np.mean(np.square(first - wanted))), wanted.std()
    if noise == 0:
        return 0.0
    known = spread > 0 and np.isfinite(noise) and np.isfinite(spread)
    return float(noise / spread) if known else _NOT_FINITE


def _relative_difference(first: np.ndarray, second: np.ndarray) -> float:
    finite = np.isfinite(first) & np.isfinite(second)
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    if not (finite | same).all():
        return _NOT_FINITE
    first = first[finite].astype(np.float64)
    second = second[finite].astype(np.float64)
    apart = np.abs(first - second).max(initial=0.0)
    largest = max(
        np.abs(first).max(initial=0.0), np.abs(second).max(initial=0.0)
    )
    return float(apart / largest) if apart else 0.0
