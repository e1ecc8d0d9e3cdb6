# SPDX-License-Identifier: Apache-2.0
"""The one training loop: classifiers, and models that give back their input.

Reference models and every fine-tuning technique train through `fit`, so seeds,
the choice of weights and the handling of a diverged loss are the same for all.
"""

import dataclasses
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.data import dataset, representative
from tflite_opt.keras_models import (
    freezing,
    random_layers,
    teaching,
    training_batches,
    training_callbacks,
    training_checkpoints,
    training_logs,
    training_losses,
)
from tflite_opt.records import errors
from tflite_opt.records import training as training_record
from tflite_opt.tflite import native_messages

TrainingOptions = training_record.TrainingOptions
TrainingHistory = training_record.TrainingHistory


def make_reproducible(seed: int) -> None:
    """Seeds Python, numpy and TensorFlow, for this whole process.

    From then on TensorFlow uses deterministic kernels only. Call it before a
    model is built, or its first weights differ from run to run.

    Args:
        seed: Not negative.
    """
    # TensorFlow says what it found, once: when it starts and looks for GPUs.
    with native_messages.filtered():
        import tensorflow as tf

        tf.config.list_physical_devices()
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
    distillation: training_record.Distillation | None = None,
    teacher: Any | None = None,
    checkpoint_dir: pathlib.Path | None = None,
) -> training_record.TrainingHistory:
    """Trains a model in place for what its output says: see `objective_of`.

    Minimizes with Adam the cross-entropy of a classifier, or the mean squared
    error against the input. An epoch shuffles the train split and drops what
    does not fill a batch. The same model, data, options and machine give the
    same weights; for that, `make_reproducible` is called.

    Args:
        model: A built `tf_keras` model with one output. It is compiled and
            gets new weights: see `options.keep`. Build it in
            `strategies.scope(options.strategy)`.
        train: Labels are class indices in `[0, num_classes)`; a
            reconstruction takes none into account. Lazy inputs are loaded
            batch by batch.
        validation: Choices are made on it, so it must not be the test split.
            A reconstruction leaves out examples of classes that `train` does
            not have: anomalies are not to be given back well. Its loss is
            without class weights and teacher.
        options: How to train.
        log: Gets one line for each epoch where stderr is no terminal, which
            shows a progress bar instead; None for this module's logger.
        callbacks: `tf_keras` callbacks, run before the loop's own. One that
            changes variables of its own has them in an attribute `state`, a
            mapping from name to `tf.Variable`, made before training; and it
            counts steps by the optimizer's `iterations` and epochs by what
            it is given, so that it can go on in another process.
        distillation: How to learn from `teacher` too; None for not at all.
        teacher: A functional or Sequential `tf_keras` model for the same
            inputs with the same outputs. Not modified.
        checkpoint_dir: Where the state after each epoch is kept. A call with
            the same arguments goes on from there and ends with the weights of
            one that was not interrupted. How callbacks were configured is not
            compared, so each technique has a directory of its own. None keeps
            nothing.

    Returns:
        What happened, also before an interruption.

    Raises:
        ModelError: If the model can be trained for neither.
        DataError: If the data do not fit the model.
        InputError: If the loss becomes NaN or infinite; the model then has its
            best weights so far, and the checkpoint is that of the last good
            epoch. Or if class weights or teacher do not fit the model.
    """
    objective = objective_of(model, train)
    if objective == "classification":
        _check_labels(model, (train, validation))
    else:
        validation = _of_known_classes(validation, train)
    weights = training_losses.class_weights(model, train, options, objective)
    lesson = None
    if distillation is not None:
        lesson = teaching.prepare(model, teacher, distillation)
        objective_of(teacher, train)
    make_reproducible(options.seed)
    run = _Run(
        model=lesson.student if lesson else model,
        train=train,
        validation=validation,
        options=options,
        objective=objective,
        class_weights=weights,
        lesson=lesson,
        callbacks=callbacks,
    )
    key = ""
    if checkpoint_dir is not None or options.tensorboard_dir is not None:
        key = training_checkpoints.fingerprint(
            *(model, (train, validation), options),
            *(callbacks, distillation, teacher),
        )
    return run.fit(key, checkpoint_dir, log)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class _Run:
    """One call of `fit` whose arguments were checked."""

    model: Any
    train: dataset.Split
    validation: dataset.Split
    options: training_record.TrainingOptions
    objective: training_record.Objective
    class_weights: np.ndarray | None
    lesson: teaching.Lesson | None
    callbacks: Sequence[Any]

    def fit(
        self,
        key: str,
        checkpoint_dir: pathlib.Path | None,
        log: Callable[[str], None] | None,
    ) -> training_record.TrainingHistory:
        """Trains, from where the checkpoint named by `key` is."""
        model, options = self.model, self.options
        steps_per_epoch = max(1, len(self.train) // options.batch_size)
        training_losses.compile_model(
            model, options, steps_per_epoch, self.objective, self.lesson
        )
        model.optimizer.build(model.trainable_variables)
        keeper = training_callbacks.keep_weights(options)
        after = [keeper]
        first_epoch, seconds_before = 0, 0.0
        if checkpoint_dir is not None:
            checkpoint = training_checkpoints.Checkpoint(
                checkpoint_dir / f"{key[:16]}.npz", keeper, self.callbacks
            )
            first_epoch, seconds_before = checkpoint.restore(model, options)
            after.append(checkpoint.save_each_epoch(seconds_before))
        if options.tensorboard_dir is not None:
            after.append(
                training_logs.write_tensorboard(
                    options.tensorboard_dir / f"{model.name}-{key[:8]}"
                )
            )
        after.append(
            training_callbacks.report_progress(
                options, steps_per_epoch, log, first_epoch
            )
        )
        started = time.perf_counter() - seconds_before
        with random_layers.seeded_by_epoch(model, options.seed) as reseed:
            model.fit(
                self._batches(first_epoch),
                initial_epoch=first_epoch,
                epochs=options.epochs,
                steps_per_epoch=steps_per_epoch,
                validation_data=training_batches.in_order(
                    model, self.validation, self.objective, self.lesson
                ),
                callbacks=[reseed, *self.callbacks, *after],
                verbose=0,
            )
        seconds = time.perf_counter() - started
        keeper.finish()
        return self._history(keeper, seconds)

    def _batches(self, first_epoch: int) -> Any:
        return training_batches.shuffled(
            self.model,
            self.train,
            self.objective,
            self.options,
            first_epoch=first_epoch,
            class_weights=self.class_weights,
            lesson=self.lesson,
        )

    def _history(
        self, keeper: Any, seconds: float
    ) -> training_record.TrainingHistory:
        logs: Sequence[Mapping[str, float]] = keeper.epochs

        def column(name: str) -> tuple[float, ...]:
            return tuple(float(entry[name]) for entry in logs if name in entry)

        return training_record.TrainingHistory(
            options=self.options,
            loss=column("loss"),
            accuracy=column("accuracy"),
            validation_loss=column("val_loss"),
            validation_accuracy=column("val_accuracy"),
            kept_epoch=keeper.kept_epoch,
            steps=keeper.steps,
            num_train=len(self.train),
            num_validation=len(self.validation),
            seconds=round(seconds, 3),
            objective=self.objective,
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
