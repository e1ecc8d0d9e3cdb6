# SPDX-License-Identifier: Apache-2.0
"""What each technique would do to a model, before anything is trained."""

import dataclasses
from typing import Literal

from tflite_opt.records import serialization, variants

# `neutral`: nothing there that the technique could change. `left_out`: there
# is, and the technique leaves it as it is. `blocked`: the technique refuses
# the whole model because of this layer.
Status = Literal["applies", "neutral", "left_out", "blocked"]
Arithmetic = Literal["float", "hybrid", "integer"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict(serialization.Record):
    """What one technique does to one layer.

    Attributes:
        status: See `Status`.
        reason: Why, where that is not obvious.
        fix: What would make the technique work; "" if nothing is wrong.
    """

    status: Status
    reason: str = ""
    fix: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class KerasLayer(serialization.Record):
    """One layer of the Keras model.

    Attributes:
        path: Its name; `outer/inner` inside a nested model.
        class_name: Of the layer.
        output_shape: Of its first output, with the batch; -1 marks an open
            dimension.
        parameters: Of the layer itself; 0 for a nested model, whose layers
            follow.
        verdicts: By technique.
    """

    path: str
    class_name: str
    output_shape: tuple[int, ...]
    parameters: int
    verdicts: dict[str, Verdict]


@dataclasses.dataclass(frozen=True, kw_only=True)
class KerasSupport(serialization.Record):
    """What the training-time techniques do to the Keras model.

    Attributes:
        techniques: Their names.
        layers: In the model's order, without input layers.
        rejections: By technique, why it refuses the model as a whole; only
            where no single layer is the reason.
        unknown_because: Why no layers are known; "" if they are.
    """

    techniques: tuple[str, ...] = ()
    layers: tuple[KerasLayer, ...] = ()
    rejections: dict[str, str] = dataclasses.field(default_factory=dict)
    unknown_because: str = ""

    def with_status(
        self, technique: str, status: Status
    ) -> tuple[KerasLayer, ...]:
        """Returns the layers on which a technique has this effect."""
        return tuple(
            layer
            for layer in self.layers
            if layer.verdicts[technique].status == status
        )

    def is_blocked(self, technique: str) -> bool:
        """Whether a technique refuses the model as it is."""
        return technique in self.rejections or bool(
            self.with_status(technique, "blocked")
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Operation(serialization.Record):
    """One operation of a converted file.

    Attributes:
        subgraph: Index of its subgraph.
        index: Position in the subgraph's execution order.
        name: TFLite's name.
        layers: Paths of the Keras layers it came from; empty if the file does
            not tell.
        arithmetic: `hybrid` computes with integer weights and float
            activations.
        is_delegated: Whether XNNPACK takes it; None if that is not known, as
            in the body of a loop.
    """

    subgraph: int
    index: int
    name: str
    layers: tuple[str, ...]
    arithmetic: Arithmetic
    is_delegated: bool | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvertedFile(serialization.Record):
    """What a post-training recipe made of the model.

    Attributes:
        recipe: `float32`, `dynamic_range`, `int8`.
        backend: What made the file; "" for the user's own.
        operations: In execution order.
        partitions: Number of XNNPACK's partitions; None if the file does not
            prepare with it.
        delegate_error: Why it does not; "" if it does.
        builtin_error: Why it does not prepare without; "" if it does.
    """

    recipe: str
    backend: str
    operations: tuple[Operation, ...]
    partitions: int | None
    delegate_error: str = ""
    builtin_error: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preflight(serialization.Record):
    """All that is known of a model before it is trained or optimized.

    Attributes:
        model: What the user called it.
        keras: What training-time techniques do to it.
        uncovered: By mode of LiteRT Quantizer, the float file's operations
            that its policy does not cover.
        files: What post-training recipes made of it.
        failures: The recipes that made nothing.
    """

    model: str
    keras: KerasSupport
    uncovered: dict[str, tuple[str, ...]] = dataclasses.field(
        default_factory=dict
    )
    files: tuple[ConvertedFile, ...] = ()
    failures: tuple[variants.Failure, ...] = ()

    def file(self, recipe: str) -> ConvertedFile | None:
        """Returns what a recipe made; None if it failed."""
        return next((f for f in self.files if f.recipe == recipe), None)
