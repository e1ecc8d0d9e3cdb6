# SPDX-License-Identifier: Apache-2.0
"""Feeds the training loop: batches of a split, made while others are in use."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tflite_opt.data import augmentation, dataset, examples, representative
from tflite_opt.keras_models import freezing
from tflite_opt.records import training

_VALIDATION_BATCH_SIZE = 256


def shuffled(
    model: Any,
    split: dataset.Split,
    objective: training.Objective,
    options: training.TrainingOptions,
) -> Any:
    """Returns all batches of all epochs, each epoch in a random order.

    The random numbers of an epoch depend on the seed and the epoch only, not
    on how far ahead TensorFlow reads.

    Args:
        model: Whose inputs the batches are for.
        split: The examples; what does not fill a batch is left out.
        objective: Whether the targets are the labels or the inputs.
        options: Of the training.

    Returns:
        A `tf.data.Dataset` of inputs and targets.
    """
    fed = _examples(model, split, objective)
    size = min(options.batch_size, len(fed))

    def generate() -> Iterator[Any]:
        for epoch in range(options.epochs):
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
    model: Any, split: dataset.Split, objective: training.Objective
) -> Any:
    """Returns all examples once, as they are and in their order.

    Args:
        model: Whose inputs the batches are for.
        split: The examples.
        objective: Whether the targets are the labels or the inputs.

    Returns:
        A `tf.data.Dataset` of inputs and targets.
    """
    fed = _examples(model, split, objective)

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
    """

    inputs: tuple[examples.Examples, ...]
    labels: np.ndarray | None

    def __len__(self) -> int:
        return len(self.inputs[0])

    def batch(
        self,
        chosen: np.ndarray | slice,
        change: Callable[[np.ndarray], np.ndarray],
    ) -> Any:
        """Returns changed inputs, and targets, as Keras takes them."""
        inputs = _packed(tuple(change(x[chosen]) for x in self.inputs))
        return inputs, inputs if self.labels is None else self.labels[chosen]

    def streamed(
        self, generate: Callable[[], Iterator[Any]], size: int | None
    ) -> Any:
        """Returns batches of `size`, made while the one before is in use."""
        import tensorflow as tf

        def spec(array: examples.Examples) -> Any:
            return tf.TensorSpec((size, *array.shape[1:]), array.dtype)

        inputs = _packed(tuple(spec(x) for x in self.inputs))
        targets = inputs if self.labels is None else spec(self.labels)
        return tf.data.Dataset.from_generator(
            generate, output_signature=(inputs, targets)
        ).prefetch(2)


def _examples(
    model: Any, split: dataset.Split, objective: training.Objective
) -> _Examples:
    inputs = representative.match_inputs(
        split.inputs, freezing.input_specs(model)
    )
    return _Examples(
        inputs=tuple(inputs.values()),
        labels=(
            split.class_indices() if objective == "classification" else None
        ),
    )


def _packed(inputs: tuple[Any, ...]) -> Any:
    """Returns the only input itself: not all models take it in a tuple."""
    return inputs[0] if len(inputs) == 1 else inputs
