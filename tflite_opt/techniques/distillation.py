# SPDX-License-Identifier: Apache-2.0
"""Distillation: a student learns, from the start, what the model knows."""

import dataclasses
from typing import Any, ClassVar

from tflite_opt.keras_models import fine_tuning, students
from tflite_opt.keras_models import training as loop
from tflite_opt.records import errors, training
from tflite_opt.techniques import base


@dataclasses.dataclass(frozen=True, kw_only=True)
class Distillation(base.CompressionTechnique):
    """Trains another, smaller model with the given one as its teacher.

    What follows in a recipe is done to the student. Size and latency are those
    of its architecture.

    Attributes:
        epochs: Of a student's first training, which takes longer than
            fine-tuning.
        learning_rate: For random weights.
        distillation: How it learns; never None here.
        student: None for the model's own architecture, else a reference model
            or `package.module:function`, a function that returns an untrained
            `tf_keras` model.
        student_options: Keyword arguments of the reference model's `build` or
            of the function.
        width_multiplier: Without `student`: the part of the filters and units
            of each hidden layer that is kept, rounded to multiples of 8.
    """

    technique: ClassVar[str] = "distillation"

    epochs: int | None = 20
    # With 1e-3, half a ResNet-8 ends more than two points lower.
    learning_rate: float | None = 3e-3
    distillation: training.Distillation | None = dataclasses.field(
        default_factory=training.Distillation
    )
    student: str | None = None
    student_options: dict[str, float] = dataclasses.field(default_factory=dict)
    width_multiplier: float = 1.0

    def __post_init__(self) -> None:
        """Checks the fields against each other.

        Raises:
            InputError: If a value is out of its range or contradicts another.
        """
        super().__post_init__()
        if self.distillation is None:
            raise errors.InputError(
                "A student needs `distillation`. Received: distillation=null. "
                "Leave it out for the default."
            )
        if not 0 < self.width_multiplier <= 1:
            raise errors.InputError(
                "`width_multiplier` must be in (0, 1]. "
                f"Received: width_multiplier={self.width_multiplier}"
            )
        if self.student is not None and self.width_multiplier != 1:
            raise errors.InputError(
                "`width_multiplier` is for the model's own architecture. "
                f"Received: width_multiplier={self.width_multiplier}, "
                f"student={self.student!r}. Use `student_options`."
            )
        if self.student is None and self.student_options:
            raise errors.InputError(
                "`student_options` are for a `student`. Received: "
                f"student_options={self.student_options}. Use "
                "`width_multiplier`."
            )

    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        """Builds the student and trains it."""
        options = self.training_options(context.options)
        loop.make_reproducible(options.seed)
        if self.student is None:
            student = students.narrowed(model, self.width_multiplier)
        else:
            student = students.build(model, self.student, self.student_options)
        history = context.fit(student, options)
        return fine_tuning.Compressed(
            model=student,
            histories=(history,),
            notes=(
                f"The student has {student.count_params():,} parameters, its "
                f"teacher {model.count_params():,}.",
            ),
        )
