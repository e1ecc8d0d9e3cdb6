# SPDX-License-Identifier: Apache-2.0
"""What a metric gets to see: the shapes of a task, and batch after batch."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from tflite_opt.data import dataset

Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Task:
    """A model on a split, before it runs.

    Attributes:
        model: Its name, for messages.
        input_shapes: Of one example, by name, in the model's order.
        output_shapes: Likewise.
        labels: Class indices `(n,)` or class maps `(n, h, w)`, int64; values
            `(n, ...)`, float32; None for unlabelled data.
        originals: Outputs of the original model for all examples, by name;
            None without them.
    """

    model: str
    input_shapes: Mapping[str, Shape]
    output_shapes: Mapping[str, Shape]
    labels: np.ndarray | None
    originals: Mapping[str, np.ndarray] | None

    @property
    def input_shape(self) -> Shape:
        """Of one example of the first input."""
        return next(iter(self.input_shapes.values()))

    @property
    def output_shape(self) -> Shape:
        """Of one example of the first output."""
        return next(iter(self.output_shapes.values()))

    @property
    def num_columns(self) -> int:
        """Numbers in the first output if it is a vector or one number."""
        if len(self.output_shape) > 1:
            return 0
        return self.output_shape[0] if self.output_shape else 1

    @property
    def has_class_indices(self) -> bool:
        """Whether the labels are class indices."""
        return self.labels is not None and dataset.are_class_indices(
            self.labels
        )

    @property
    def has_class_maps(self) -> bool:
        """Whether the labels are class maps."""
        return (
            self.labels is not None
            and self.labels.ndim == 3
            and self.labels.dtype.kind in "iu"
        )

    @property
    def is_binary(self) -> bool:
        """Whether the labels are class indices and all of them 0 or 1."""
        return (
            self.labels is not None
            and self.has_class_indices
            and bool(np.isin(self.labels, (0, 1)).all())
        )

    @property
    def is_reconstruction(self) -> bool:
        """Whether the first output stands for the first input.

        A vector shaped like the input may as well be the scores of a
        classifier with as many classes as features; then the labels decide.
        """
        if self.output_shape != self.input_shape:
            return False
        if self.num_columns:
            return self.num_columns > 2 and (
                self.labels is None or self.is_binary
            )
        return True

    @property
    def has_class_scores(self) -> bool:
        """Whether the largest in the last axis of the first output says what.

        True for vectors that stand for no input, and for maps of scores with
        labels that are class maps.
        """
        if self.has_class_maps:
            return len(self.output_shape) == 3 and self.output_shape[-1] > 1
        return self.num_columns > 1 and not self.is_reconstruction

    def batch(
        self,
        begin: int,
        inputs: Mapping[str, np.ndarray],
        outputs: Mapping[str, np.ndarray],
    ) -> "Batch":
        """Returns consecutive examples after inference.

        Args:
            begin: Number of the first one.
            inputs: See `Batch`.
            outputs: See `Batch`.
        """
        here = slice(begin, begin + len(next(iter(outputs.values()))))
        return Batch(
            inputs=inputs,
            outputs=outputs,
            labels=None if self.labels is None else self.labels[here],
            originals=(
                None
                if self.originals is None
                else {name: x[here] for name, x in self.originals.items()}
            ),
        )

    def describe(self) -> str:
        """Returns the facts that decide whether a metric fits."""
        labels = (
            "none"
            if self.labels is None
            else f"{self.labels.dtype} of shape (n"
            + "".join(f", {size}" for size in self.labels.shape[1:])
            + ")"
        )
        return (
            f"model={self.model!r}, labels={labels}, outputs="
            f"{dict(self.output_shapes)} for inputs={dict(self.input_shapes)}"
        )


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Batch:
    """Some consecutive examples after inference.

    Attributes:
        inputs: By the model's input names, shape `(n, ...)`, as the data have
            them.
        outputs: By name, in the model's order, shape `(n, ...)`, dequantized.
        labels: As in `Task`, of these examples.
        originals: The original model's outputs, by name; None without them.
    """

    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]
    labels: np.ndarray | None
    originals: Mapping[str, np.ndarray] | None

    @property
    def output(self) -> np.ndarray:
        """The first output."""
        return next(iter(self.outputs.values()))

    @property
    def original(self) -> np.ndarray:
        """The original model's counterpart of the first output.

        Raises:
            ValueError: If there are no outputs of the original model.
        """
        if self.originals is None:
            raise ValueError("This batch has no outputs of the original.")
        return self.originals[next(iter(self.outputs))]

    @property
    def truth(self) -> np.ndarray:
        """The labels, where there are some.

        Raises:
            ValueError: If there are none.
        """
        if self.labels is None:
            raise ValueError("This batch has no labels.")
        return self.labels
