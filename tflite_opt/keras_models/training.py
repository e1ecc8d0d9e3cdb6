# SPDX-License-Identifier: Apache-2.0
"""The one training loop: classifiers that end in a softmax, one label each.

Reference models and every fine-tuning technique train through `fit`, so seeds,
the choice of weights and the handling of a diverged loss are the same for all.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.data import augmentation, dataset, examples, representative
from tflite_opt.keras_models import freezing, training_callbacks
from tflite_opt.records import errors
from tflite_opt.records import training as training_record

TrainingOptions = training_record.TrainingOptions
TrainingHistory = training_record.TrainingHistory

_VALIDATION_BATCH_SIZE = 256


def make_reproducible(seed: int) -> None:
    """Seeds Python, numpy and TensorFlow, for this whole process.

    From then on TensorFlow uses deterministic kernels only. Call it before a
    model is built, or its first weights differ from run to run.

    Args:
        seed: Not negative.
    """
    import tensorflow as tf
    import tf_keras as keras

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit(
    model: Any,
    train: dataset.Split,
    validation: dataset.Split,
    options: training_record.TrainingOptions,
    log: Callable[[str], None] | None = None,
    *,
    callbacks: Sequence[Any] = (),
) -> training_record.TrainingHistory:
    """Trains a classifier in place.

    Minimizes the cross-entropy with Adam. An epoch shuffles the train split
    and drops what does not fill a batch. The same model, data, options and
    machine give the same weights; for that, `make_reproducible` is called.

    Args:
        model: A built `tf_keras` model with one output, the probabilities,
            shape `(n, num_classes)`. It is compiled and gets new weights: see
            `options.keep`.
        train: Labels are class indices in `[0, num_classes)`. Lazy inputs are
            loaded batch by batch.
        validation: Choices are made on it, so it must not be the test split.
        options: How to train.
        log: Gets one line for each epoch where stderr is no terminal, which
            shows a progress bar instead; None for this module's logger.
        callbacks: `tf_keras` callbacks, run before the loop's own.

    Returns:
        What happened.

    Raises:
        ModelError: If the model does not end in probabilities.
        DataError: If the data do not fit the model.
        InputError: If the loss becomes NaN or infinite. The model then has
            its best weights so far.
    """
    specs = freezing.input_specs(model)
    inputs, validation_inputs = (
        tuple(representative.match_inputs(split.inputs, specs).values())
        for split in (train, validation)
    )
    num_classes = _check_classifier(model, inputs, (train, validation))
    make_reproducible(options.seed)
    steps_per_epoch = max(1, len(train) // options.batch_size)
    _compile(model, options, steps_per_epoch, num_classes)
    keeper = training_callbacks.keep_weights(options)
    started = time.perf_counter()
    model.fit(
        _batches(inputs, train.class_indices(), options),
        epochs=options.epochs,
        steps_per_epoch=steps_per_epoch,
        validation_data=_in_order(
            validation_inputs, validation.class_indices()
        ),
        callbacks=[
            *callbacks,
            keeper,
            training_callbacks.report_progress(options, steps_per_epoch, log),
        ],
        verbose=0,
    )
    seconds = time.perf_counter() - started
    keeper.finish()
    return _history(keeper, options, len(train), len(validation), seconds)


def _check_classifier(
    model: Any,
    inputs: tuple[examples.Examples, ...],
    splits: Sequence[dataset.Split],
) -> int:
    """Returns the number of classes of a model that can be trained here."""
    names = dict.fromkeys(model.input_names)
    few = {name: array[:8] for name, array in zip(names, inputs, strict=True)}
    outputs = list(freezing.predict(model, few).values())
    if len(outputs) != 1 or outputs[0].ndim != 2 or outputs[0].shape[1] < 2:
        raise errors.ModelError(
            "Only models with one output (n, num_classes) can be trained. "
            f"Received: {model.name!r} with output shapes "
            f"{[output.shape for output in outputs]}"
        )
    sums = outputs[0].sum(axis=1)
    if outputs[0].min() < 0 or not np.allclose(sums, 1, atol=0.01):
        raise errors.ModelError(
            "Only models that end in a softmax can be trained. Received: "
            f"{model.name!r}, whose outputs for an example add up to "
            f"{sums[0]:.4g}. Append `Softmax()`."
        )
    num_classes = outputs[0].shape[1]
    for split in splits:
        labels = split.class_indices()
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= num_classes:
            raise errors.DataError(
                f"Labels must be in [0, {num_classes}), the model's classes. "
                f"Received: {low} to {high} in split={split.name!r}"
            )
    return num_classes


def _compile(
    model: Any,
    options: training_record.TrainingOptions,
    steps_per_epoch: int,
    num_classes: int,
) -> None:
    import tensorflow as tf
    import tf_keras as keras

    rate: Any = options.learning_rate
    if options.learning_rate_schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            rate, options.epochs * steps_per_epoch
        )
    loss: Any = keras.losses.SparseCategoricalCrossentropy()
    if options.label_smoothing:
        dense_loss = keras.losses.CategoricalCrossentropy(
            label_smoothing=options.label_smoothing
        )

        def loss(labels: Any, probabilities: Any) -> Any:
            indices = tf.cast(tf.reshape(labels, [-1]), tf.int32)
            return dense_loss(tf.one_hot(indices, num_classes), probabilities)

    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=loss,
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )


def _batches(
    inputs: tuple[examples.Examples, ...],
    labels: np.ndarray,
    options: training_record.TrainingOptions,
) -> Any:
    """Returns a `tf.data.Dataset` of all batches of all epochs.

    The random numbers of an epoch depend on the seed and the epoch only, not
    on how far ahead TensorFlow reads.
    """
    size = min(options.batch_size, len(labels))

    def generate() -> Iterator[Any]:
        for epoch in range(options.epochs):
            generator = np.random.default_rng([options.seed, epoch])
            order = generator.permutation(len(labels))
            for start in range(0, len(labels) - size + 1, size):
                chosen = order[start : start + size]
                batch = tuple(
                    augmentation.augment(
                        x[chosen], options.augmentation, generator
                    )
                    for x in inputs
                )
                yield _packed(batch), labels[chosen]

    return _streamed(generate, inputs, labels, size)


def _in_order(inputs: tuple[examples.Examples, ...], labels: np.ndarray) -> Any:
    """Returns a `tf.data.Dataset` of all examples once, in their order."""

    def generate() -> Iterator[Any]:
        for start in range(0, len(labels), _VALIDATION_BATCH_SIZE):
            chosen = slice(start, start + _VALIDATION_BATCH_SIZE)
            yield _packed(tuple(x[chosen] for x in inputs)), labels[chosen]

    return _streamed(generate, inputs, labels, None)


def _streamed(
    generate: Callable[[], Iterator[Any]],
    inputs: tuple[examples.Examples, ...],
    labels: np.ndarray,
    size: int | None,
) -> Any:
    """Returns batches of `size`, made while the one before is in use."""
    import tensorflow as tf

    signature = tuple(
        tf.TensorSpec((size, *x.shape[1:]), x.dtype) for x in inputs
    )
    return tf.data.Dataset.from_generator(
        generate,
        output_signature=(
            _packed(signature),
            tf.TensorSpec((size, *labels.shape[1:]), labels.dtype),
        ),
    ).prefetch(2)


def _packed(inputs: tuple[Any, ...]) -> Any:
    """Returns the only input itself: not all models take it in a tuple."""
    return inputs[0] if len(inputs) == 1 else inputs


def _history(
    keeper: Any,
    options: training_record.TrainingOptions,
    num_train: int,
    num_validation: int,
    seconds: float,
) -> training_record.TrainingHistory:
    logs: Sequence[Mapping[str, float]] = keeper.epochs

    def column(name: str) -> tuple[float, ...]:
        return tuple(float(entry[name]) for entry in logs)

    return training_record.TrainingHistory(
        options=options,
        loss=column("loss"),
        accuracy=column("accuracy"),
        validation_loss=column("val_loss"),
        validation_accuracy=column("val_accuracy"),
        kept_epoch=keeper.kept_epoch,
        steps=keeper.steps,
        num_train=num_train,
        num_validation=num_validation,
        seconds=round(seconds, 3),
    )
