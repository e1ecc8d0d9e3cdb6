# SPDX-License-Identifier: Apache-2.0
"""What the training loop minimizes, and what it counts."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tflite_opt.data import dataset
from tflite_opt.keras_models import teaching
from tflite_opt.records import errors, training

_Loss = Callable[[Any, Any], Any]

# Smaller probabilities than Keras takes the logarithm of.
_EPSILON = 1e-7


def compile_model(
    model: Any,
    options: training.TrainingOptions,
    steps_per_epoch: int,
    objective: training.Objective,
    lesson: teaching.Lesson | None,
) -> None:
    """Gives a model its optimizer, loss and metrics.

    Args:
        model: A built `tf_keras` model: `lesson.student` if there is a lesson.
        options: Of the training.
        steps_per_epoch: Decides the end of a learning-rate schedule.
        objective: What the model is trained for.
        lesson: Of a distillation; None for none.
    """
    import tf_keras as keras

    rate: Any = options.learning_rate
    if options.learning_rate_schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            rate, options.epochs * steps_per_epoch
        )
    is_classification = objective == "classification"
    loss = (
        _cross_entropy(options.label_smoothing)
        if is_classification
        else keras.losses.mean_squared_error
    )
    accuracy: Any = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    if lesson is not None:
        loss = _distilled(loss, lesson, is_classification)
        accuracy = _accuracy_of(lesson)
    with model.distribute_strategy.scope():
        model.compile(
            optimizer=keras.optimizers.Adam(rate),
            loss=loss,
            metrics=[accuracy] if is_classification else [],
        )


def class_weights(
    model: Any,
    train: dataset.Split,
    options: training.TrainingOptions,
    objective: training.Objective,
) -> np.ndarray | None:
    """Returns the factor of each class's loss.

    Args:
        model: Says how many classes there are.
        train: Its labels are counted to balance classes.
        options: Say which factors.
        objective: What the model is trained for.

    Returns:
        Shape `(num_classes,)`, float32; None if all are 1.

    Raises:
        InputError: If there is not one for each class, or no classes.
    """
    if not (options.class_weights or options.balance_classes):
        return None
    if objective != "classification":
        raise errors.InputError(
            "Class weights are for classifiers. Received: "
            f"class_weights={options.class_weights}, balance_classes="
            f"{options.balance_classes} with {model.name!r}, which gives back "
            "its input."
        )
    num_classes = model.output_shape[-1]
    if options.balance_classes:
        labels = train.class_indices()
        counts = np.bincount(labels, minlength=num_classes)
        balanced = len(labels) / (
            np.count_nonzero(counts) * np.maximum(counts, 1)
        )
        return balanced.astype(np.float32)
    if len(options.class_weights) != num_classes:
        raise errors.InputError(
            f"`class_weights` must have one value for each of {num_classes} "
            f"classes. Received: class_weights={options.class_weights}"
        )
    return np.array(options.class_weights, np.float32)


def _cross_entropy(label_smoothing: float) -> _Loss:
    """Returns a loss of class indices, `(n,)`, one value for each example."""
    import tensorflow as tf
    import tf_keras as keras

    def loss(labels: Any, probabilities: Any) -> Any:
        indices = tf.cast(tf.reshape(labels, [-1]), tf.int32)
        if not label_smoothing:
            return keras.losses.sparse_categorical_crossentropy(
                indices, probabilities
            )
        return keras.losses.categorical_crossentropy(
            tf.one_hot(indices, probabilities.shape[-1]),
            probabilities,
            label_smoothing=label_smoothing,
        )

    return loss


def _distilled(
    own_loss: _Loss, lesson: teaching.Lesson, is_classification: bool
) -> _Loss:
    """Returns the loss of `training.Distillation`.

    Of validation targets, which have no columns of the teacher, it is the own
    loss: it can be compared with that of a training without a teacher.
    """
    import tensorflow as tf

    options = lesson.distillation
    own_width = 1 if is_classification else lesson.output_width

    def loss(targets: Any, outputs: Any) -> Any:
        own, *taught = lesson.split_targets(targets, own_width)
        answer, *features = lesson.split_outputs(outputs)
        own_part = own_loss(own, answer)
        if not taught:
            return own_part
        if is_classification:
            taught_part = _softened_divergence(
                taught[0], answer, options.temperature
            )
        else:
            taught_part = own_loss(taught[0], answer)
        total = (1 - options.weight) * own_part + options.weight * taught_part
        for mine, teachers in zip(features, taught[1:], strict=True):
            difference = _similarities(mine) - _similarities(teachers)
            total += options.feature_weight * tf.reduce_sum(
                tf.square(difference), axis=1
            )
        return total

    return loss


def _softened_divergence(
    teachers: Any, students: Any, temperature: float
) -> Any:
    """Returns `T^2 KL(teacher || student)` of softened probabilities."""
    import tensorflow as tf

    def softened(probabilities: Any) -> Any:
        # The logarithm of a softmax is its logits, but for a constant.
        logits = tf.math.log(tf.maximum(probabilities, _EPSILON))
        return tf.nn.log_softmax(logits / temperature)

    target, found = softened(teachers), softened(students)
    divergence = tf.reduce_sum(tf.exp(target) * (target - found), axis=1)
    return temperature**2 * divergence


def _similarities(features: Any) -> Any:
    """Returns how alike the examples of a batch are, each row of length 1."""
    import tensorflow as tf

    products = tf.matmul(features, features, transpose_b=True)
    return tf.math.l2_normalize(products, axis=1)


def _accuracy_of(lesson: teaching.Lesson) -> Callable[[Any, Any], Any]:
    import tf_keras as keras

    def accuracy(targets: Any, outputs: Any) -> Any:
        return keras.metrics.sparse_categorical_accuracy(
            lesson.split_targets(targets, 1)[0],
            lesson.split_outputs(outputs)[0],
        )

    return accuracy
