# SPDX-License-Identifier: Apache-2.0
"""What a teacher knows about an example, in the form the training loop takes.

The targets of an example are flat: its label or its input, then the teacher's
output, then the teacher's features. The student gets the same form: its output
and then its features. So any loop that takes one target and one output can
distill, and a student keeps its own layers, wrappers and callbacks.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.data import examples, representative
from tflite_opt.keras_models import freezing
from tflite_opt.records import errors, training


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Lesson:
    """A teacher and a student that fit each other.

    Attributes:
        distillation: How to learn.
        student: A model with the student's layers and weights whose output
            are flat columns; train it instead of the student.
        output_width: Columns of the output of either.
        student_widths: Columns of each of the student's features.
        teacher_widths: Columns of each of the teacher's features.
        ask: From inputs in the student's order, shape `(n, ...)`, to the
            teacher's columns, shape `(n, width)`, float32.
    """

    distillation: training.Distillation
    student: Any
    output_width: int
    student_widths: tuple[int, ...]
    teacher_widths: tuple[int, ...]
    ask: Callable[[Sequence[np.ndarray]], np.ndarray]

    def split_targets(self, targets: Any, own_width: int) -> list[Any]:
        """Returns the own target, and the teacher's columns if there are.

        Args:
            targets: Shape `(n, columns)`.
            own_width: Columns of a label, which is 1, or of a flat input.
        """
        import tensorflow as tf

        if targets.shape[-1] == own_width:
            return [targets]
        widths = [own_width, self.output_width, *self.teacher_widths]
        return tf.split(targets, widths, axis=1)

    def split_outputs(self, outputs: Any) -> list[Any]:
        """Returns the student's output and its features."""
        import tensorflow as tf

        widths = [self.output_width, *self.student_widths]
        return tf.split(outputs, widths, axis=1)

    def ask_about_all(
        self, inputs: Sequence[examples.Examples], batch_size: int
    ) -> np.ndarray:
        """Returns the teacher's columns for all examples.

        Args:
            inputs: In the student's order, shape `(n, ...)`, lazy or not.
            batch_size: Examples at a time.
        """
        return np.concatenate(
            [
                self.ask([x[start : start + batch_size] for x in inputs])
                for start in range(0, len(inputs[0]), batch_size)
            ]
        )


def prepare(
    student: Any,
    teacher: Any | None,
    distillation: training.Distillation,
) -> Lesson:
    """Checks that a student can learn from a teacher, and how.

    Args:
        student: A built functional or Sequential `tf_keras` model: a
            classifier, if its output has shape `(n, num_classes)`.
        teacher: Another one, for the same inputs; not modified.
        distillation: How to learn.

    Raises:
        InputError: If there is no teacher, it gives out something else, or a
            layer of `distillation.features` does not exist.
    """
    if teacher is None or teacher is student:
        raise errors.InputError(
            "Distillation needs a teacher beside the model. "
            f"Received: teacher={teacher and teacher.name!r}"
        )
    shape = student.output_shape
    if teacher.output_shape != shape:
        raise errors.InputError(
            "The teacher must have the student's classes or outputs. Received: "
            f"a teacher with output shape {teacher.output_shape} for a student "
            f"with {shape}."
        )
    features = distillation.features
    mine = [_output_of(student, name, "student") for name in features]
    theirs = [_output_of(teacher, x, "teacher") for x in features.values()]
    output_width = _width(student.output)
    return Lesson(
        distillation=distillation,
        student=_flattened(student, mine),
        output_width=output_width,
        student_widths=tuple(map(_width, mine)),
        teacher_widths=tuple(map(_width, theirs)),
        ask=_asker(
            teacher,
            theirs,
            [spec.name for spec in freezing.input_specs(student)],
        ),
    )


def _flattened(student: Any, features: Sequence[Any]) -> Any:
    import tf_keras as keras

    if not features and len(student.output_shape) == 2:
        return student
    flat = [keras.layers.Flatten()(x) for x in (student.output, *features)]
    if features:
        flat = [keras.layers.Concatenate(axis=1)(flat)]
    return keras.Model(student.inputs, flat[0], name=student.name)


def _asker(
    teacher: Any, features: Sequence[Any], student_inputs: Sequence[str]
) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
    import tensorflow as tf
    import tf_keras as keras

    specs = freezing.input_specs(teacher)
    model = keras.Model(teacher.inputs, [teacher.output, *features])

    @tf.function(autograph=False, reduce_retracing=True)
    def answer(*inputs: Any) -> Any:
        given = inputs[0] if len(inputs) == 1 else list(inputs)
        return tf.concat(
            [
                tf.reshape(x, (tf.shape(x)[0], -1))
                for x in tf.nest.flatten(model(given, training=False))
            ],
            axis=1,
        )

    def ask(inputs: Sequence[np.ndarray]) -> np.ndarray:
        named: Mapping[str, np.ndarray] = dict(
            zip(student_inputs, inputs, strict=True)
        )
        matched = representative.match_inputs(named, specs)
        found: np.ndarray = answer(
            *(tf.constant(examples.materialize(x)) for x in matched.values())
        ).numpy()
        return found

    return ask


def _output_of(model: Any, name: str, role: str) -> Any:
    """Returns what a layer, or the wrapper of TF-MOT around it, gives out."""
    for layer in model.layers:
        wrapped = getattr(layer, "layer", layer)
        if name in (layer.name, getattr(wrapped, "name", None)):
            output = layer.get_output_at(0)
            if None in output.shape[1:]:
                raise errors.InputError(
                    "Only layers with outputs of a fixed shape can be "
                    f"compared. Received: the {role}'s layer {name!r} with "
                    f"shape {tuple(output.shape)}."
                )
            return output
    known = ", ".join(layer.name for layer in model.layers)
    raise errors.InputError(
        f"`features` must name layers of the {role}. Received: {name!r}. "
        f"Known: {known}."
    )


def _width(tensor: Any) -> int:
    return math.prod(tensor.shape[1:])
