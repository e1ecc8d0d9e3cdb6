# SPDX-License-Identifier: Apache-2.0
"""What the conversion process is told, and the places it writes to."""

import dataclasses
import pathlib
from typing import Any

from tflite_opt import recipe as recipe_lib
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.records import (
    compression,
    files,
    golden,
    model_spec,
    serialization,
    tensor_names,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout(serialization.Record):
    """Where the files of one model's conversions live.

    Attributes:
        root: The run directory.
        source: Folder in it of what the conversions start from.
    """

    root: pathlib.Path
    source: str = "float"

    @property
    def saved_model(self) -> pathlib.Path:
        """The frozen SavedModel; a model without Keras may have none."""
        return self.root / self.source / "saved_model"

    @property
    def float_model(self) -> pathlib.Path:
        """The float `.tflite` that quantizations start from."""
        return self.root / self.source / "model.tflite"

    @property
    def opened(self) -> pathlib.Path:
        """What the model turned out to be."""
        return self.root / self.source / "model.json"

    def original_outputs(self, split: str) -> pathlib.Path:
        """The original model's outputs on a split, by output name."""
        return self.root / self.source / f"original_outputs.{split}.npz"

    @property
    def data_check(self) -> pathlib.Path:
        """What there is to say about the representative data."""
        return self.root / "data_check.json"

    def artifact(self, name: str) -> pathlib.Path:
        """The `.tflite` of a recipe."""
        return self.root / "artifacts" / f"{name}.tflite"

    def prepared(self, name: str, step: int) -> pathlib.Path:
        """The float model after a recipe's preparation number `step`."""
        return self.root / "artifacts" / "prepared" / f"{name}.{step}.tflite"

    def unrefined(self, name: str, step: int) -> pathlib.Path:
        """What a recipe's refinement number `step` starts from."""
        return self.root / "artifacts" / "unrefined" / f"{name}.{step}.tflite"

    def variant(self, name: str) -> pathlib.Path:
        """The record beside it."""
        return self.root / "artifacts" / f"{name}.json"

    def tensor_errors(self, name: str) -> pathlib.Path:
        """What quantization did to each tensor of a recipe's file."""
        return self.root / "tensor_errors" / f"{name}.json"

    def files_of(self, recipe: recipe_lib.Recipe) -> list[pathlib.Path]:
        """All files of a finished recipe."""
        return [
            *self.delivered(recipe.name),
            self.variant(recipe.name),
            *(
                self.unrefined(recipe.name, i)
                for i in range(len(recipe.refine))
            ),
            *(
                self.prepared(recipe.name, i)
                for i in range(len(recipe.prepare))
            ),
        ]

    def delivered(self, name: str) -> list[pathlib.Path]:
        """The `.tflite` of a recipe, then what belongs beside it."""
        artifact = self.artifact(name)
        beside = [
            tensor_names.sidecar_path(artifact, files.sha256_of_file(artifact)),
            golden.path_beside(artifact),
        ]
        return [artifact, *(path for path in beside if path.exists())]

    @property
    def log(self) -> pathlib.Path:
        """What the conversion process printed."""
        return self.root / "logs" / "conversion.log"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job(serialization.Record):
    """One child process.

    Attributes:
        model: What to convert.
        layout: Where to write.
        data: For representative samples and reference outputs.
        freeze: Whether the frozen model must be made first.
        reference_splits: Splits on which the original model's outputs are kept.
        recipes: In `Recipe.to_json`'s form.
        compressed: What the model is the result of; None for the user's own.
    """

    model: model_spec.ModelSpec
    layout: Layout
    data: dataset_lib.DataSpec
    freeze: bool
    reference_splits: tuple[str, ...]
    recipes: tuple[Any, ...]
    compressed: compression.CompressedModel | None = None
