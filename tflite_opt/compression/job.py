# SPDX-License-Identifier: Apache-2.0
"""What the process of one compression step is told."""

import dataclasses
import pathlib
from typing import Any

from tflite_opt.data import dataset as dataset_lib
from tflite_opt.records import (
    compression,
    model_spec,
    serialization,
    training,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job(serialization.Record):
    """One technique on one model.

    Attributes:
        model: The user's own, which is the teacher.
        before: What earlier steps made of it; None for the first step.
        technique: In the form of a recipe.
        data: For training.
        options: Of fine-tuning.
        folder: Gets the results.
    """

    model: model_spec.ModelSpec
    before: compression.CompressedModel | None
    technique: dict[str, Any]
    data: dataset_lib.DataSpec
    options: training.TrainingOptions
    folder: pathlib.Path

    @property
    def model_path(self) -> pathlib.Path:
        """The compressed Keras model."""
        return self.folder / "model.h5"

    @property
    def record_path(self) -> pathlib.Path:
        """Its `CompressedModel`."""
        return self.folder / "model.json"

    @property
    def checkpoint_dir(self) -> pathlib.Path:
        """What a killed training goes on from."""
        return self.folder / "checkpoints"
