# SPDX-License-Identifier: Apache-2.0
"""How far a replay of golden vectors is from the original model, and may be.

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
    position: int,
    found: Mapping[str, np.ndarray],
    expected: np.ndarray,
    step: float | None,
) -> golden.GoldenOutput:
    """Returns what a replay of one output may be off by.

    The margin is 2 quantization steps, a relative 1e-4 of a float output, or
    the distance between two kernels on this machine if that is more.

    Args:
        spec: The output in the artifact.
        position: Among the artifact's outputs.
        found: The artifact's dequantized outputs, shape `(n, ...)`, by the
            kernels that gave them.
        expected: The original model's, same shape.
        step: As from `output_steps`.

    Raises:
        DataError: If only one of both is not finite somewhere.
    """
    runs = list(found.values())
    measured = np.max([differences(run, expected) for run in runs], axis=0)
    if measured.max() >= _NOT_FINITE:
        raise errors.DataError(
            "The artifact and the original model must be finite where the "
            "other one is. Received: a difference to NaN or infinity in "
            f"{spec.name!r}."
        )
    margin, reason = _margin(runs, expected, step)
    return golden.GoldenOutput(
        spec=spec,
        position=position,
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
        finite = expected[np.isfinite(expected)].astype(np.float64)
        largest = float(np.abs(finite).max(initial=0.0))
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
        infinity or NaN, which are no difference to themselves.
    """
    first, second = found.astype(np.float64), expected.astype(np.float64)
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(first - second))
    apart = np.nan_to_num(apart, nan=_NOT_FINITE, posinf=_NOT_FINITE)
    return apart.reshape(len(apart), -1).max(axis=1, initial=0.0)


def compare(
    output: golden.GoldenOutput, found: np.ndarray, expected: np.ndarray
) -> golden.OutputReplay:
    """Compares one output of a replay with the original model's.

    Args:
        output: With the tolerance of each example.
        found: Dequantized, shape `(n, ...)`.
        expected: Same shape.
    """
    apart = differences(found, expected)
    top1 = None
    if expected.ndim > 1 and expected.shape[-1] > 1:
        same = found.argmax(axis=-1) == expected.argmax(axis=-1)
        top1 = float(same.mean())
    return golden.OutputReplay(
        name=output.spec.name,
        max_absolute_difference=float(apart.max()),
        min_tolerance=min(output.tolerance),
        max_tolerance=max(output.tolerance),
        examples_within=int((apart <= output.tolerance).sum()),
        cosine_similarity=_cosine_similarity(found, expected),
        top1_agreement=top1,
    )


def _cosine_similarity(found: np.ndarray, expected: np.ndarray) -> float | None:
    first, second = (x.astype(np.float64).ravel() for x in (found, expected))
    with np.errstate(invalid="ignore", divide="ignore"):
        norms = np.linalg.norm(first) * np.linalg.norm(second)
        similarity = float(first @ second / norms)
    return similarity if np.isfinite(similarity) else None
