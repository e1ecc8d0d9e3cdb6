# SPDX-License-Identifier: Apache-2.0
"""What a technique that trains works with, and what it gives back."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

from tflite_opt.data import dataset
from tflite_opt.keras_models import training
from tflite_opt.records import compression, conversion
from tflite_opt.records import training as training_record


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Context:
    """The surroundings of a technique that trains.

    Attributes:
        train: The train split.
        validation: Choices are made on it.
        calibration: Representative inputs, from the train split.
        options: Fine-tuning as the user asked for it.
        promises: Of earlier steps.
        teacher: The uncompressed `tf_keras` model.
        distillation: How every training learns from the teacher too; None
            for not at all.
        checkpoint_dir: Where a training leaves what it resumes from; None
            keeps nothing.
        converter: Makes files of models on the way, to see what they cost.
    """

    train: dataset.Split
    validation: dataset.Split
    calibration: dataset.Split
    options: training_record.TrainingOptions
    promises: tuple[compression.Promise, ...] = ()
    teacher: Any | None = None
    distillation: training_record.Distillation | None = None
    checkpoint_dir: pathlib.Path | None = None
    converter: conversion.TrialConverter | None = None

    def fit(
        self,
        model: Any,
        options: training_record.TrainingOptions,
        *,
        callbacks: Sequence[Any] = (),
    ) -> training_record.TrainingHistory:
        """Trains a model in place; see `training.fit`."""
        return training.fit(
            *(model, self.train, self.validation, options),
            callbacks=callbacks,
            distillation=self.distillation,
            teacher=self.teacher,
            checkpoint_dir=self.checkpoint_dir,
        )


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Compressed:
    """What a technique made of a model.

    Attributes:
        model: A functional `tf_keras` model without wrappers, but those of
            quantization-aware training.
        promises: What its weights are from now on.
        histories: Trainings, in order.
        notes: One sentence each, for the report.
        carried: The promises of earlier steps as they read for this model,
            whose layers may have other names; None for as they were.
        shrinkage: What the layers have lost; None if nothing.
    """

    model: Any
    promises: tuple[compression.Promise, ...] = ()
    histories: tuple[training_record.TrainingHistory, ...] = ()
    notes: tuple[str, ...] = ()
    carried: tuple[compression.Promise, ...] | None = None
    shrinkage: compression.Shrinkage | None = None
