# SPDX-License-Identifier: Apache-2.0
"""The contract of a technique and the registry of all of them."""

import abc
import dataclasses
import inspect
import pathlib
import typing
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from tflite_opt.keras_models import fine_tuning
from tflite_opt.records import (
    compression,
    conversion,
    errors,
    facts,
    serialization,
    training,
)

_TechniqueT = typing.TypeVar("_TechniqueT", bound="Technique")

_REGISTRY: dict[str, type["Technique"]] = {}
_HEADER = ("record", "schema_version")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Technique(serialization.Record, abc.ABC):
    """Base of all techniques; subclassing registers.

    Attributes:
        technique: The name in recipes and records, e.g. `full_integer`.
    """

    technique: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Registers concrete techniques under their name."""
        super().__init_subclass__(**kwargs)
        name = cls.__dict__.get("technique")
        if name is not None:
            _REGISTRY[name] = cls

    def describe(self) -> str:
        """Returns the name and the fields that differ from the defaults."""
        changed = ", ".join(
            f"{name}={getattr(self, name)}" for name in self._changed()
        )
        return f"{self.technique}({changed})"

    def _changed(self) -> list[str]:
        return [
            field.name
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != _default(field)
        ]

    def to_recipe(self) -> dict[str, Any]:
        """Returns `{"technique": name, **fields}`, as recipes write it."""
        return {"technique": self.technique, **_without_headers(self.to_json())}

    def to_short_recipe(self) -> dict[str, Any]:
        """Returns the same without the fields that have their defaults."""
        kept = {"technique", *self._changed()}
        return {k: x for k, x in self.to_recipe().items() if k in kept}

    def require(self, condition: bool, promise: str, received: str) -> None:
        """Raises a VerificationError unless `condition` holds.

        Args:
            condition: What must be true.
            promise: What the technique promised.
            received: What the file holds instead.
        """
        if not condition:
            raise errors.VerificationError(
                f"{self.technique} must {promise}. Received: {received}."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompressionTechnique(Technique):
    """Keras model to compressed Keras model, by training.

    Attributes:
        epochs: Of its training; None for those of the context's options.
        learning_rate: Of its training at the first step; None likewise.
        distillation: How its training learns from the uncompressed model too;
            None for not at all.
        preserve: Properties that earlier techniques gave and that it keeps.
        resizes_layers: Whether layers get other sizes.
    """

    gives: ClassVar[compression.Property | None] = None
    preserves: ClassVar[frozenset[compression.Property]] = frozenset()
    resizes_layers: ClassVar[bool] = False

    epochs: int | None = None
    learning_rate: float | None = None
    distillation: training.Distillation | None = None
    preserve: tuple[compression.Property, ...] = ()

    def __post_init__(self) -> None:
        """Checks the fields that all of them have.

        Raises:
            InputError: If a value is out of its range.
        """
        super().__post_init__()
        self.training_options(training.TrainingOptions())
        # Recipes that keep the same are the same.
        kept = tuple(sorted(set(self.preserve)))
        object.__setattr__(self, "preserve", kept)
        unknown = set(self.preserve) - self.preserves
        if unknown:
            known = ", ".join(sorted(self.preserves)) or "nothing"
            raise errors.InputError(
                f"{self.technique} can preserve {known}. "
                f"Received: preserve={', '.join(self.preserve)}."
            )

    def training_options(
        self, given: training.TrainingOptions
    ) -> training.TrainingOptions:
        """Returns what it trains with.

        Args:
            given: Of the context.
        """
        return dataclasses.replace(
            given,
            epochs=given.epochs if self.epochs is None else self.epochs,
            learning_rate=(
                given.learning_rate
                if self.learning_rate is None
                else self.learning_rate
            ),
        )

    @property
    def measured_in_integers(self) -> bool | None:
        """Whether what it measures is a file that computes in integers.

        None if it measures no file.
        """
        return None

    @abc.abstractmethod
    def apply(
        self, model: Any, context: fine_tuning.Context
    ) -> fine_tuning.Compressed:
        """Compresses a model.

        Args:
            model: A functional or Sequential `tf_keras` model with trained
                weights; may be changed.
            context: Data, options and the training loop.

        Raises:
            InputError: If the fields do not fit the model, or its training
                diverges.
            VerificationError: If it did not do its job.
        """


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileTechnique(Technique):
    """Changes a `.tflite` before or after the conversion.

    Attributes:
        needs_integers: Whether it only helps a file that computes in integers.
        breaks: What compression may have given and it does not keep.
    """

    needs_integers: ClassVar[bool] = False
    breaks: ClassVar[frozenset[compression.Property]] = frozenset()


@dataclasses.dataclass(frozen=True, kw_only=True)
class PreparationTechnique(FileTechnique):
    """Float `.tflite` to a float `.tflite` that quantizes better.

    The function stays the same: whoever carries it out compares the outputs.
    """

    @abc.abstractmethod
    def prepare(
        self,
        model: pathlib.Path,
        destination: pathlib.Path,
        representative: Mapping[str, np.ndarray],
    ) -> tuple[str, ...]:
        """Writes the prepared file.

        Args:
            model: The float `.tflite`. Not modified.
            destination: Where the prepared file goes.
            representative: Calibration data by name, shape `(n, ...)`.

        Returns:
            One sentence each on what was done, for the report.

        Raises:
            ModelError: If `model` cannot be prepared.
            DataError: If the data do not fit it.
        """


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConversionTechnique(Technique):
    """Frozen float model and representative data to `.tflite`."""

    @classmethod
    @abc.abstractmethod
    def presets(cls) -> dict[str, "ConversionTechnique"]:
        """Returns the named configurations that this technique offers."""

    @property
    def needs_representative_dataset(self) -> bool:
        """Whether calibration data are looked at."""
        return False

    @property
    def takes_fake_quantization(self) -> bool:
        """Whether it uses the ranges of quantization-aware training."""
        return False

    @property
    def computes_in_integers(self) -> bool:
        """Whether products are computed with the quantized weights."""
        return False

    @property
    def needs_converter(self) -> bool:
        """Whether it never starts from the float `.tflite`."""
        return False

    @abc.abstractmethod
    def convert(
        self, context: conversion.ConversionContext
    ) -> conversion.Converted:
        """Makes the `.tflite`.

        Args:
            context: The frozen model and the back ends.

        Raises:
            ConversionError: If the back end rejects the model.
        """

    @abc.abstractmethod
    def verify(self, model: facts.ModelFacts) -> None:
        """Checks, on the file itself, that the technique did its job.

        Args:
            model: Facts read from the result.

        Raises:
            VerificationError: If it did not.
        """


@dataclasses.dataclass(frozen=True, kw_only=True)
class RefinementTechnique(FileTechnique):
    """Converted `.tflite` and its float parent to a better `.tflite`.

    Attributes:
        is_last: Whether nothing can come after it.
    """

    is_last: ClassVar[bool] = False

    @abc.abstractmethod
    def refine(
        self,
        parent: pathlib.Path,
        model: pathlib.Path,
        destination: pathlib.Path,
        representative: Mapping[str, np.ndarray],
    ) -> tuple[str, ...]:
        """Writes the refined file.

        Args:
            parent: The float `.tflite` that was converted.
            model: The `.tflite` to refine. Not modified.
            destination: Where the refined file goes.
            representative: Calibration data by name, shape `(n, ...)`.

        Returns:
            One sentence each on what was done, for the report.

        Raises:
            ModelError: If `model` is no valid `.tflite`, or none that can be
                refined.
            DataError: If the data do not fit it.
            VerificationError: If the result is not what was promised.
        """

    @abc.abstractmethod
    def verify(self, before: facts.ModelFacts, after: facts.ModelFacts) -> None:
        """Checks, on the files themselves, that the technique did its job.

        Args:
            before: Facts read from the file that was refined.
            after: Facts read from the result.

        Raises:
            VerificationError: If it did not.
        """


def names(kind: type[Technique] = Technique) -> tuple[str, ...]:
    """Returns the names of all techniques of a kind."""
    return tuple(
        sorted(n for n, cls in _REGISTRY.items() if issubclass(cls, kind))
    )


def conversion_techniques() -> tuple[type[ConversionTechnique], ...]:
    """Returns all concrete conversion techniques, by name."""
    return concrete(ConversionTechnique)  # type: ignore[type-abstract]


def concrete(kind: type[_TechniqueT]) -> tuple[type[_TechniqueT], ...]:
    """Returns all techniques of a kind that can be carried out, by name."""
    return tuple(
        cls
        for _, cls in sorted(_REGISTRY.items())
        if issubclass(cls, kind) and not inspect.isabstract(cls)
    )


def from_recipe(content: Mapping[str, Any]) -> Technique:
    """Builds a technique from `to_recipe`'s form.

    Raises:
        InputError: If the technique or a field is unknown, or a value wrong.
    """
    if not isinstance(content, Mapping):
        raise errors.InputError(
            "A technique must be a mapping with the key `technique`. "
            f"Received: {content!r}."
        )
    fields = dict(content)
    name = fields.pop("technique", None)
    if name not in _REGISTRY:
        raise errors.InputError(
            f"Unknown technique. Received: technique={name!r}. "
            f"Known: {', '.join(names())}."
        )
    cls = _REGISTRY[name]
    known = [field.name for field in dataclasses.fields(cls)]
    unknown = sorted(str(field) for field in set(fields) - set(known))
    if unknown:
        raise errors.InputError(
            f"{name} has no field {', '.join(unknown)}. "
            f"Known: {', '.join(known)}."
        )
    hints = typing.get_type_hints(cls)
    return cls.from_json(
        _with_header(
            cls, {k: _as_record(hints[k], x) for k, x in fields.items()}
        )
    )


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _without_headers(content: Any) -> Any:
    """Leaves out what says which record it is: the place in a recipe does."""
    if not isinstance(content, dict):
        return content
    if "record" in content:
        content = {k: x for k, x in content.items() if k not in _HEADER}
    return {k: _without_headers(x) for k, x in content.items()}


def _with_header(
    cls: type[serialization.Record], content: Mapping[str, Any]
) -> dict[str, Any]:
    header = (cls.__name__, cls.schema_version)
    return dict(zip(_HEADER, header, strict=True)) | dict(content)


def _as_record(hint: Any, value: Any) -> Any:
    """Returns what a field reads: a mapping in the place of a record is one."""
    for kind in (hint, *typing.get_args(hint)):
        if (
            isinstance(value, Mapping)
            and isinstance(kind, type)
            and issubclass(kind, serialization.Record)
        ):
            return _with_header(kind, value)
    return value
