# SPDX-License-Identifier: Apache-2.0
"""Which techniques, in which order: recipes and the named presets."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from tflite_opt.records import errors
from tflite_opt.techniques import base, slimming

# The whole ladder that needs no training, in the order of the table.
DEFAULT_NAMES = (
    "float32",
    "float16",
    "dynamic_range",
    "int8",
    "int8_uint8_io",
    "int8_float_io",
    "int16x8",
    "weight_only_int8",
    "int4",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """One variant: what is done to the model on its way.

    Attributes:
        name: Names the variant in files and tables.
        convert: The one conversion.
        refine: What is done to the `.tflite` afterwards, in order.
    """

    name: str
    convert: base.ConversionTechnique
    refine: tuple[base.RefinementTechnique, ...] = ()

    def describe(self) -> str:
        """Returns the techniques in order, with what they change."""
        steps = (self.convert, *self.refine)
        return " > ".join(step.describe() for step in steps)

    def to_json(self) -> dict[str, Any]:
        """Returns plain JSON types; `from_json` reads it."""
        return {
            "name": self.name,
            "convert": self.convert.to_recipe(),
            "refine": [step.to_recipe() for step in self.refine],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Recipe":
        """Builds a recipe from `to_json`'s form.

        Raises:
            InputError: If a technique or field is unknown or a value wrong.
        """
        technique = base.from_recipe(content["convert"])
        if not isinstance(technique, base.ConversionTechnique):
            raise errors.InputError(
                "`convert` must be a conversion technique. "
                f"Received: {technique.technique}"
            )
        refine = tuple(
            base.from_recipe(step) for step in content.get("refine", ())
        )
        for step in refine:
            if not isinstance(step, base.RefinementTechnique):
                raise errors.InputError(
                    "`refine` must hold refinement techniques. "
                    f"Received: {step.technique}"
                )
        return cls(name=content["name"], convert=technique, refine=refine)  # type: ignore[arg-type]


def presets() -> dict[str, Recipe]:
    """Returns all named recipes, collected from the techniques."""
    return {
        name: Recipe(name=name, convert=technique)
        for cls in base.conversion_techniques()
        for name, technique in cls.presets().items()
    }


def parse_names(
    names: Iterable[str], *, slim: bool = True
) -> tuple[Recipe, ...]:
    """Returns the recipes of the given names, with `float32` first.

    `float32` is added when it is missing: every comparison needs it.

    Args:
        names: Of presets.
        slim: Whether each recipe ends with slimming.

    Raises:
        InputError: If a name is unknown or given twice.
    """
    known = presets()
    wanted = [name.strip() for name in names]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise errors.InputError(
            f"Unknown recipe. Received: {', '.join(unknown) or 'none'}. "
            f"Known: {', '.join(sorted(known))}."
        )
    if len(set(wanted)) != len(wanted):
        raise errors.InputError(
            f"Each recipe may be given once. Received: {', '.join(wanted)}"
        )
    ordered = ["float32"] + [name for name in wanted if name != "float32"]
    last = (slimming.Slimming(),) if slim else ()
    return tuple(
        dataclasses.replace(known[name], refine=known[name].refine + last)
        for name in ordered
    )
