# SPDX-License-Identifier: Apache-2.0
"""How far a right replay of golden vectors may be from the original model.

If this machine's kernels give `a`, the original `o` and another device `b`,
then `|b - o|` is at most `|a - o| + |b - a|`: the first is measured for each
example, the second is the margin. A tolerance for each example is far tighter
than one for all, because quantization changes few of them much.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tflite_opt.records import errors, facts, golden
from tflite_opt.tflite import flatbuffer

# Stands for a difference to infinity or NaN, which records cannot hold.
_NOT_FINITE = float(np.finfo(np.float32).max)


def output_steps(model: flatbuffer.Model) -> list[float | None]:
    """Returns the quantization step of each output of the main subgraph.

    Float outputs of an integer model come out of a DEQUANTIZE and are as far
    apart on two devices as the integers in it. None for other float outputs.
    """
    main = model.subgraphs[0]
    sources = {
        operator.outputs[0]: operator.inputs[0]
        for operator in main.operators
        if operator.name == "DEQUANTIZE"
    }
    tensors = [main.tensors[sources.get(i, i)] for i in main.outputs]
    return [float(t.scale[0]) if len(t.scale) == 1 else None for t in tensors]


def tolerance(
    spec: facts.TensorSpec,
    found: Mapping[str, np.ndarray],
    expected: np.ndarray,
    step: float | None,
) -> golden.GoldenOutput:
    """Returns what a replay of one output may be off by.

    The margin is 2 quantization steps, a relative 1e-4 of a float output, or
    the distance between two kernels on this machine if that is more.

    Args:
        spec: The output in the artifact.
        found: The artifact's dequantized outputs, shape `(n, ...)`, by the
            kernels that gave them.
        expected: The original model's, same shape.
        step: As from `output_steps`.

    Raises:
        DataError: If an output is not finite.
    """
    runs = list(found.values())
    measured = np.max([differences(run, expected) for run in runs], axis=0)
    if measured.max() >= _NOT_FINITE:
        raise errors.DataError(
            "Golden outputs must be finite, in the artifact and in the "
            f"original model. Received: NaN or infinity in {spec.name!r}."
        )
    margin, reason = _margin(runs, expected, step)
    return golden.GoldenOutput(
        spec=spec,
        tolerance=tuple((measured + margin).tolist()),
        margin=margin,
        derivation=(
            "for each example, the largest difference of this file to the "
            f"original model as measured with {' and '.join(found)} (at most "
            f"{measured.max():.3g}), plus {reason}"
        ),
    )


def _margin(
    runs: Sequence[np.ndarray], expected: np.ndarray, step: float | None
) -> tuple[float, str]:
    """Returns what another device may add, and why."""
    if step is not None:
        margin = facts.MAX_QUANTA * step
        reason = f"{facts.MAX_QUANTA} quantization steps of {step:.3g}"
    else:
        largest = float(np.abs(expected.astype(np.float64)).max(initial=0.0))
        margin = facts.MAX_RELATIVE_DIFFERENCE * largest
        reason = f"{facts.MAX_RELATIVE_DIFFERENCE:g} of the largest value"
        reason += f" {largest:.3g}"
    apart = float(differences(runs[0], runs[-1]).max())
    if apart > margin:
        return apart, f"what two kernels differ by, {apart:.3g}"
    return margin, reason


def differences(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Returns the largest absolute difference of each example.

    Args:
        found: Shape `(n, ...)`.
        expected: Same shape.

    Returns:
        Shape `(n,)`, float64; the largest float32 stands for a difference to
        infinity or NaN.
    """
    apart = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    apart = np.nan_to_num(apart, nan=_NOT_FINITE, posinf=_NOT_FINITE)
    return apart.reshape(len(apart), -1).max(axis=1, initial=0.0)
