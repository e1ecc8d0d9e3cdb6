# SPDX-License-Identifier: Apache-2.0
"""Outputs against those of the model that was converted, batch by batch."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from tflite_opt.records import errors, evaluation


@dataclasses.dataclass(frozen=True, kw_only=True)
class Differences:
    """Some examples after comparing.

    Attributes:
        num_examples: At least 1.
        num_decisions: Top-1 predictions that were compared: one for each
            example, or for each pixel; 0 without class scores.
        num_same: How many of them were equal.
        num_values: Numbers that were compared.
        largest: Absolute difference.
        total: Sum of the absolute differences.
    """

    num_examples: int
    num_decisions: int
    num_same: int
    num_values: int
    largest: float
    total: float


def check(
    shapes: Mapping[str, tuple[int, ...]],
    originals: Mapping[str, np.ndarray],
    num_examples: int,
) -> None:
    """Refuses outputs that are not of the same model or examples.

    Args:
        shapes: Of the outputs for one example, by name.
        originals: The original model's outputs, by name, shape `(n, ...)`.
        num_examples: `n`.

    Raises:
        DataError: If names or shapes differ.
    """
    expected = {name: (num_examples, *shape) for name, shape in shapes.items()}
    received = {name: array.shape for name, array in originals.items()}
    if expected != received:
        raise errors.DataError(
            "The outputs must be those of the original model. "
            f"Received: {expected}, original model: {received}."
        )


def differences(
    outputs: Mapping[str, np.ndarray],
    originals: Mapping[str, np.ndarray],
    has_class_scores: bool,
) -> Differences:
    """Compares dequantized outputs with those of the original model.

    Args:
        outputs: By name, in the model's order, shape `(n, ...)`.
        originals: Likewise.
        has_class_scores: Whether the last axis of the first output is classes.
    """
    name, first = next(iter(outputs.items()))
    apart = [
        np.abs(output.astype(np.float64) - originals[key])
        for key, output in outputs.items()
    ]
    same = np.empty(0, bool)
    if has_class_scores:
        same = first.argmax(axis=-1) == originals[name].argmax(axis=-1)
    return Differences(
        num_examples=len(first),
        num_decisions=same.size,
        num_same=int(same.sum()),
        num_values=sum(x.size for x in apart),
        largest=max(float(x.max(initial=0)) for x in apart),
        total=sum(float(x.sum()) for x in apart),
    )


def agreement(parts: Sequence[Differences]) -> evaluation.Agreement:
    """Joins what batches differ in.

    Args:
        parts: At least one.
    """
    decisions = sum(part.num_decisions for part in parts)
    same = sum(part.num_same for part in parts)
    values = sum(part.num_values for part in parts)
    return evaluation.Agreement(
        num_examples=sum(part.num_examples for part in parts),
        same_predictions=same / decisions if decisions else None,
        max_absolute_difference=max(part.largest for part in parts),
        mean_absolute_difference=sum(part.total for part in parts) / values,
    )
