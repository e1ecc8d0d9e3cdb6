# SPDX-License-Identifier: Apache-2.0
"""Which model a run works on, how to open it, and what it turned out to be."""

import dataclasses
import pathlib
from typing import Any, Literal

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import compression, serialization

ModelKind = Literal[
    "keras", "keras3", "saved_model", "tflite", "pytorch", "function"
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSpec(serialization.Record):
    """Names a model so that another process opens the same one.

    Attributes:
        artifact: The file. For a function, the module that defines it.
        function: `package.module:function` that returns the model; None for
            a model in a file.
        weights: A `.weights.h5` for the model that the function returns.
        custom_objects: `package.module:NAME` of each class or function that
            the file needs and Keras does not know.
        signature: Of a SavedModel with several; None for its only one, or
            `serving_default`.
        input_shapes: By input name, a batch of 1 first: sizes of dimensions
            that the model leaves open.
        output_names: Of its outputs, in order, instead of its own; empty for
            those.
    """

    artifact: artifact_record.Artifact
    function: str | None = None
    weights: pathlib.Path | None = None
    custom_objects: tuple[str, ...] = ()
    signature: str | None = None
    input_shapes: dict[str, tuple[int, ...]] = dataclasses.field(
        default_factory=dict
    )
    output_names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What messages call the model."""
        return self.function or self.artifact.path.name

    def replaced_by(self, model: compression.CompressedModel) -> "ModelSpec":
        """Returns the same for a Keras model that was made from this one."""
        return dataclasses.replace(
            self,
            artifact=model.artifact,
            function=None,
            weights=None,
            signature=None,
            output_names=model.output_names,
        )

    def identity(self) -> dict[str, Any]:
        """Returns what results depend on: not where the file lies."""
        return {
            "sha256": self.artifact.sha256,
            "custom_objects": list(self.custom_objects),
            "signature": self.signature,
            "input_shapes": {k: list(v) for k, v in self.input_shapes.items()},
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class OpenedModel(serialization.Record):
    """What a model turned out to be.

    Attributes:
        kind: What was opened; for a function, what it returned.
        made_with: Keras' version, or the kind of file.
        trainable: Whether techniques that train can work on it.
        untrainable_because: Why not, with the layer at fault; "" otherwise.
        rebuilt_difference: Largest difference between the outputs of a Keras 3
            model and of its rebuilding in Keras 2, as a fraction of the
            largest output if that is above 1; None if nothing was rebuilt.
        num_compared: Real examples on which that was measured.
        layers: Paths of all Keras layers, in the model's order; empty where
            they are not known.
    """

    kind: ModelKind
    made_with: str
    trainable: bool
    untrainable_because: str = ""
    rebuilt_difference: float | None = None
    num_compared: int = 0
    layers: tuple[str, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """Returns what a report says about it, a sentence each."""
        found = []
        if self.rebuilt_difference is not None and self.trainable:
            found.append(
                f"The {self.made_with} model was rebuilt in Keras 2; on "
                f"{self.num_compared} real examples its outputs differ by at "
                f"most {self.rebuilt_difference:.1e}."
            )
        if not self.trainable:
            found.append(
                "Techniques that train the model are not available: "
                f"{self.untrainable_because}."
            )
        return tuple(found)
