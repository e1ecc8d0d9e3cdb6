# SPDX-License-Identifier: Apache-2.0
"""The one training loop: classifiers, and models that give back their input.

Reference models and every fine-tuning technique train through `fit`, so seeds,
the choice of weights and the handling of a diverged loss are the same for all.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.data import dataset, representative
from tflite_opt.keras_models import (
    freezing,
    training_batches,
    training_callbacks,
)
from tflite_opt.records import errors
from tflite_opt.records import training as training_record

TrainingOptions = training_record.TrainingOptions
TrainingHistory = training_record.TrainingHistory


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
    """Trains a model in place for what its output says: see `objective_of`.

    Minimizes with Adam the cross-entropy of a classifier, or the mean squared
    error against the input. An epoch shuffles the train split and drops what
    does not fill a batch. The same model, data, options and machine give the
    same weights; for that, `make_reproducible` is called.

    Args:
        model: A built `tf_keras` model with one output. It is compiled and
            gets new weights: see `options.keep`.
        train: Labels are class indices in `[0, num_classes)`; a
            reconstruction takes none into account. Lazy inputs are loaded
            batch by batch.
        validation: Choices are made on it, so it must not be the test split.
            A reconstruction leaves out examples of classes that `train` does
            not have: anomalies are not to be given back well.
        options: How to train.
        log: Gets one line for each epoch where stderr is no terminal, which
            shows a progress bar instead; None for this module's logger.
        callbacks: `tf_keras` callbacks, run before the loop's own.

    Returns:
        What happened.

    Raises:
        ModelError: If the model can be trained for neither.
        DataError: If the data do not fit the model.
        InputError: If the loss becomes NaN or infinite. The model then has
            its best weights so far.
    """
    objective = objective_of(model, train)
    if objective == "classification":
        _check_labels(model, (train, validation))
    else:
        validation = _of_known_classes(validation, train)
    make_reproducible(options.seed)
    steps_per_epoch = max(1, len(train) // options.batch_size)
    _compile(model, options, steps_per_epoch, objective)
    keeper = training_callbacks.keep_weights(options)
    started = time.perf_counter()
    model.fit(
        training_batches.shuffled(model, train, objective, options),
        epochs=options.epochs,
        steps_per_epoch=steps_per_epoch,
        validation_data=training_batches.in_order(model, validation, objective),
        callbacks=[
            *callbacks,
            keeper,
            training_callbacks.report_progress(options, steps_per_epoch, log),
        ],
        verbose=0,
    )
    seconds = time.perf_counter() - started
    keeper.finish()
    return _history(
        keeper, options, objective, len(train), len(validation), seconds
    )


def objective_of(model: Any, split: dataset.Split) -> training_record.Objective:
    """Returns what a model can be trained for, from what it gives out.

    Probabilities, shape `(n, num_classes)`, make a classifier. Another output
    that is shaped like the only input stands for that input.

    Args:
        model: A built `tf_keras` model; not modified.
        split: A few of its examples are run.

    Raises:
        ModelError: If it is neither.
        DataError: If the data do not fit the model.
    """
    specs = freezing.input_specs(model)
    inputs = representative.match_inputs(split.inputs, specs)
    few = {name: x[:8] for name, x in inputs.items()}
    outputs = list(freezing.predict(model, few).values())
    shapes = [output.shape for output in outputs]
    is_reconstruction = shapes == [x.shape for x in few.values()]
    is_classifier = len(shapes) == 1 and len(shapes[0]) == 2 < 1 + shapes[0][1]
    if is_classifier:
        sums = outputs[0].sum(axis=1)
        if outputs[0].min() >= 0 and np.allclose(sums, 1, atol=0.01):
            return "classification"
    if is_reconstruction:
        return "reconstruction"
    if is_classifier:
        raise errors.ModelError(
            "Only models that end in a softmax can be trained. Received: "
            f"{model.name!r}, whose outputs for an example add up to "
            f"{sums[0]:.4g}. Append `Softmax()`."
        )
    raise errors.ModelError(
        "Only models with one output, (n, num_classes) or shaped like the only "
        f"input, can be trained. Received: {model.name!r} with output shapes "
        f"{shapes}"
    )


def _check_labels(model: Any, splits: Sequence[dataset.Split]) -> None:
    num_classes = model.output_shape[-1]
    for split in splits:
        labels = split.class_indices()
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= num_classes:
            raise errors.DataError(
                f"Labels must be in [0, {num_classes}), the model's classes. "
                f"Received: {low} to {high} in split={split.name!r}"
            )


def _of_known_classes(
    split: dataset.Split, train: dataset.Split
) -> dataset.Split:
    if split.labels is None or train.labels is None:
        return split
    known = np.isin(split.labels, np.unique(train.labels))
    return split.take(np.flatnonzero(known), split.name)


def _compile(
    model: Any,
    options: training_record.TrainingOptions,
    steps_per_epoch: int,
    objective: training_record.Objective,
) -> None:
    import tf_keras as keras

    rate: Any = options.learning_rate
    if options.learning_rate_schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            rate, options.epochs * steps_per_epoch
        )
    if objective == "reconstruction":
        loss, metrics = keras.losses.MeanSquaredError(), []
    else:
        loss = _cross_entropy(model.output_shape[-1], options.label_smoothing)
        metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
    model.compile(
        optimizer=keras.optimizers.Adam(rate), loss=loss, metrics=metrics
    )


def _cross_entropy(num_classes: int, label_smoothing: float) -> Any:
    import tensorflow as tf
    import tf_keras as keras

    if not label_smoothing:
        return keras.losses.SparseCategoricalCrossentropy()
    dense_loss = keras.losses.CategoricalCrossentropy(
        label_smoothing=label_smoothing
    )

    def loss(labels: Any, probabilities: Any) -> Any:
        indices = tf.cast(tf.reshape(labels, [-1]), tf.int32)
        return dense_loss(tf.one_hot(indices, num_classes), probabilities)

    return loss


def _history(
    keeper: Any,
    options: training_record.TrainingOptions,
    objective: training_record.Objective,
    num_train: int,
    num_validation: int,
    seconds: float,
) -> training_record.TrainingHistory:
    logs: Sequence[Mapping[str, float]] = keeper.epochs

    def column(name: str) -> tuple[float, ...]:
        return tuple(float(entry[name]) for entry in logs if name in entry)

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
        objective=objective,
    )
