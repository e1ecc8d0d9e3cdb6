# SPDX-License-Identifier: Apache-2.0
"""Feeds the training loop: batches of a split, made while others are in use."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from tflite_opt.data import augmentation, dataset, examples, representative
from tflite_opt.keras_models import freezing, teaching
from tflite_opt.records import training

_VALIDATION_BATCH_SIZE = 256

_Chosen: TypeAlias = np.ndarray | slice


def shuffled(
    model: Any,
    split: dataset.Split,
    objective: training.Objective,
    options: training.TrainingOptions,
    *,
    first_epoch: int = 0,
    class_weights: np.ndarray | None = None,
    lesson: teaching.Lesson | None = None,
) -> Any:
    """Returns all batches of all epochs, each epoch in a random order.

    The random numbers of an epoch depend on the seed and the epoch only, not
    on how far ahead TensorFlow reads.

    Args:
        model: Whose inputs the batches are for.
        split: The examples; what does not fill a batch is left out.
        objective: Whether the targets are the labels or the inputs.
        options: Of the training.
        first_epoch: Epochs before it were run already.
        class_weights: Weight of each class's examples, shape
            `(num_classes,)`, float32.
        lesson: Its teacher's columns come behind the targets. A teacher is
            asked once for each example if all batches show it unchanged, else
            again in each batch.

    Returns:
        A `tf.data.Dataset` of inputs, targets and, with class weights, weights.
    """
    fed = _examples(model, split, objective, class_weights, lesson)
    size = min(options.batch_size, len(fed))
    if lesson is not None:
        # Features are too many numbers to keep.
        changes = options.augmentation != "none" or lesson.teacher_widths
        fed = fed.taught_by(lesson, batch_by_batch=bool(changes))

    def generate() -> Iterator[Any]:
        for epoch in range(first_epoch, options.epochs):
            generator = np.random.default_rng([options.seed, epoch])
            change = functools.partial(
                augmentation.augment,
                kind=options.augmentation,
                generator=generator,
            )
            order = generator.permutation(len(fed))
            for start in range(0, len(fed) - size + 1, size):
                yield fed.batch(order[start : start + size], change)

    return fed.streamed(generate, size)


def in_order(
    model: Any,
    split: dataset.Split,
    objective: training.Objective,
    lesson: teaching.Lesson | None = None,
) -> Any:
    """Returns all examples once, as they are and in their order.

    Args:
        model: Whose inputs the batches are for.
        split: The examples.
        objective: Whether the targets are the labels or the inputs.
        lesson: Makes the targets flat, without its teacher's columns.

    Returns:
        A `tf.data.Dataset` of inputs and targets.
    """
    fed = _examples(model, split, objective, None, lesson)

    def generate() -> Iterator[Any]:
        for start in range(0, len(fed), _VALIDATION_BATCH_SIZE):
            chosen = slice(start, start + _VALIDATION_BATCH_SIZE)
            yield fed.batch(chosen, lambda inputs: inputs)

    return fed.streamed(generate, None)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class _Examples:
    """What a split gives the loop.

    Attributes:
        inputs: In the model's order, shape `(n, ...)`, lazy or not.
        labels: Class indices, shape `(n,)`; None where the only input is the
            target.
        class_weights: Shape `(num_classes,)`; None for no weights.
        is_flat: Whether targets have shape `(n, columns)`.
        teach: From the chosen positions and their changed inputs to the
            teacher's columns; None for no such columns.
    """

    inputs: tuple[examples.Examples, ...]
    labels: np.ndarray | None
    class_weights: np.ndarray | None
    is_flat: bool
    teach: Callable[[_Chosen, Sequence[np.ndarray]], np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.inputs[0])

    def taught_by(
        self, lesson: teaching.Lesson, *, batch_by_batch: bool
    ) -> "_Examples":
        """Returns the same examples with the teacher's columns."""
        if batch_by_batch:
            return dataclasses.replace(
                self, teach=lambda _, inputs: lesson.ask(inputs)
            )
        answers = lesson.ask_about_all(self.inputs, _VALIDATION_BATCH_SIZE)
        return dataclasses.replace(
            self, teach=lambda chosen, _: answers[chosen]
        )

    def batch(
        self,
        chosen: _Chosen,
        change: Callable[[np.ndarray], np.ndarray],
    ) -> tuple[Any, ...]:
        """Returns changed inputs, targets and weights, as Keras takes them."""
        inputs = tuple(change(x[chosen]) for x in self.inputs)
        targets = inputs[0] if self.labels is None else self.labels[chosen]
        if self.is_flat:
            targets = targets.reshape(len(targets), -1).astype(np.float32)
        if self.teach is not None:
            columns = self.teach(chosen, inputs)
            targets = np.concatenate([targets, columns], axis=1)
        if self.class_weights is None or self.labels is None:
            return _packed(inputs), targets
        weights = self.class_weights[self.labels[chosen]]
        return _packed(inputs), targets, weights

    def streamed(
        self,
        generate: Callable[[], Iterator[tuple[Any, ...]]],
        size: int | None,
    ) -> Any:
        """Returns batches of `size`, made while the one before is in use."""
        import tensorflow as tf

        example = self.batch(slice(0, 1), lambda inputs: inputs)
        signature = tf.nest.map_structure(
            lambda x: tf.TensorSpec((size, *x.shape[1:]), x.dtype), example
        )
        return tf.data.Dataset.from_generator(
            generate, output_signature=signature
        ).prefetch(2)


def _examples(
    model: Any,
    split: dataset.Split,
    objective: training.Objective,
    class_weights: np.ndarray | None,
    lesson: teaching.Lesson | None,
) -> _Examples:
    inputs = representative.match_inputs(
        split.inputs, freezing.input_specs(model)
    )
    return _Examples(
        inputs=tuple(inputs.values()),
        labels=(
            split.class_indices() if objective == "classification" else None
        ),
        class_weights=class_weights,
        is_flat=lesson is not None,
    )


def _packed(inputs: tuple[Any, ...]) -> Any:
    """Returns the only input itself: not all models take it in a tuple."""
    return inputs[0] if len(inputs) == 1 else inputs
