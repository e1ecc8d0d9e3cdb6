# SPDX-License-Identifier: Apache-2.0
"""The recipes that a search chooses from.

Conversions, preparations and refinements come from the registry; of techniques
with a strength, a few settings are offered. What may follow what is asked of
`Recipe` itself: a technique is offered where the recipe stays legal with it.
Knows no sampler.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from tflite_opt import recipe as recipe_lib
from tflite_opt.records import errors, search, training
from tflite_opt.techniques import base, slimming

NONE = "none"
CONVERSION = "conversion"
# Whether the uncompressed model teaches in what trains.
TEACHER = "teacher"

# Asks for one of the labels of the choice of that name.
Choose = Callable[[str, Sequence[str]], str]
_Place = Literal["compress", "prepare", "refine"]

# In the order in which they are done to a model. Only weights of a float file
# that is stored sparse, or sizes after gzip, gain by zeros and clusters.
_COMPRESSION: dict[str, dict[str, dict[str, Any]]] = {
    "channel_pruning": {
        "channels75": {"channels": 0.75},
        "channels50": {"channels": 0.5},
        "channels25": {"channels": 0.25},
    },
    "distillation": {
        "distill75": {"width_multiplier": 0.75},
        "distill50": {"width_multiplier": 0.5},
    },
    "pruning": {
        "prune50": {"final_sparsity": 0.5},
        "prune80": {"final_sparsity": 0.8},
    },
    "clustering": {
        "cluster16": {"number_of_clusters": 16},
        "cluster64": {"number_of_clusters": 64},
    },
    "quantization_aware_training": {"qat": {}},
}
# One way of getting narrower is enough.
_NARROWING = frozenset({"channel_pruning", "distillation"})
_SMALLER_AFTER_GZIP_ONLY = frozenset({"pruning", "clustering"})
_TEACHERS = {"taught": training.Distillation()}
_MIXED_PRECISION = "mixed_precision"
_FLOAT_PREFIXES = (0, 2, 4)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
    """A technique that a recipe may have, in one of several strengths.

    Attributes:
        name: The technique's.
        place: Where it goes.
        options: By label, which becomes part of the recipe's name.
    """

    name: str
    place: _Place
    options: Mapping[str, base.Technique]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Space:
    """What recipes are made of.

    Attributes:
        conversions: By label.
        choices: In the order in which they are made.
    """

    conversions: Mapping[str, base.ConversionTechnique]
    choices: tuple[Choice, ...]

    def labels(self, name: str) -> tuple[str, ...]:
        """Returns what can be chosen for a parameter of that name."""
        none = () if name == CONVERSION else (NONE,)
        return (*none, *self._options(name))

    def without_training(self) -> "Space":
        """Returns the recipes that a model without Keras can go through."""
        kept = tuple(x for x in self.choices if x.place != "compress")
        return dataclasses.replace(self, choices=kept)

    def propose(self, number: int, choose: Choose) -> search.Proposal:
        """Returns the recipe that a sampler chooses.

        Args:
            number: Of the trial.
            choose: Is asked for what is legal after all it chose before.
        """
        conversion = choose(CONVERSION, self.labels(CONVERSION))
        parameters = {CONVERSION: conversion}
        found = recipe_lib.Recipe(
            name=conversion, convert=self.conversions[conversion]
        )
        for choice in self.choices:
            longer = {
                label: _with(found, choice.place, technique)
                for label, technique in choice.options.items()
            }
            if None in longer.values():
                continue
            label = choose(choice.name, self.labels(choice.name))
            parameters[choice.name] = label
            found = longer.get(label) or found
        if any(step.distillation is None for step in found.compress):
            label = choose(TEACHER, self.labels(TEACHER))
            parameters[TEACHER] = label
            found = _taught(found, _TEACHERS.get(label))
        parts = [x for x in parameters.values() if x not in (NONE, conversion)]
        done = dataclasses.replace(
            found,
            name="_".join([conversion, *parts]),
            refine=(*found.refine, slimming.Slimming()),
        )
        return search.Proposal(
            number=number, parameters=parameters, recipe=done.to_json()
        )

    def presets(self, number: int) -> Iterator[search.Proposal]:
        """Yields the named presets that are among these recipes.

        Args:
            number: Of the trial.
        """
        for preset in recipe_lib.parse_names(recipe_lib.presets()):
            found = self._find(number, preset)
            if found is not None:
                yield found

    def _find(
        self, number: int, recipe: recipe_lib.Recipe
    ) -> search.Proposal | None:
        """Returns a recipe under the name that its choices give it."""
        if recipe.convert not in self.conversions.values():
            return None
        steps = (*recipe.compress, *recipe.prepare, *recipe.refine)
        wanted = [recipe.convert, *map(_alone, steps)]

        def choose(name: str, labels: Sequence[str]) -> str:
            options = self._options(name)
            return next((x for x in labels if options.get(x) in wanted), NONE)

        found = self.propose(number, choose)
        made = recipe_lib.Recipe.from_json(found.recipe)
        same = dataclasses.replace(recipe, name=made.name) == made
        return found if same else None

    def _options(self, name: str) -> Mapping[str, Any]:
        if name == CONVERSION:
            return self.conversions
        if name == TEACHER:
            return _TEACHERS
        return next(x.options for x in self.choices if x.name == name)


def default_techniques(*, counts_gzip: bool) -> tuple[str, ...]:
    """Returns what recipes are made of where the user does not say.

    Args:
        counts_gzip: Whether sizes are those after gzip: without that, zeros
            and repeated values gain nothing.
    """
    return tuple(
        name
        for name in known_techniques()
        if counts_gzip or name not in _SMALLER_AFTER_GZIP_ONLY
    )


@functools.cache
def known_techniques() -> tuple[str, ...]:
    """Returns the techniques that a search can use."""
    choices = [choice.name for choice in _all_choices()]
    return tuple(sorted({*choices, *_conversions_by_technique()}))


def build(techniques: Sequence[str]) -> Space:
    """Returns the recipes that can be made of some techniques.

    Raises:
        InputError: If one is unknown, or none of them converts.
    """
    unknown = sorted(set(techniques) - set(known_techniques()))
    by_technique = _conversions_by_technique()
    conversions = {
        label: technique
        for name, options in by_technique.items()
        if name in techniques
        for label, technique in options.items()
    }
    if unknown or not conversions:
        raise errors.InputError(
            "`techniques` must be known, and one at least must convert. "
            f"Received: {', '.join(unknown or techniques) or 'none'}. "
            f"Conversions: {', '.join(sorted(by_technique))}. Others: "
            f"{', '.join(sorted(x.name for x in _all_choices()))}."
        )
    choices = tuple(x for x in _all_choices() if x.name in techniques)
    return Space(conversions=conversions, choices=choices)


def _all_choices() -> list[Choice]:
    known = base.names()
    found = [
        Choice(
            name=name,
            place="compress",
            options={
                label: base.from_recipe({"technique": name, **fields})
                for label, fields in settings.items()
            },
        )
        for name, settings in _COMPRESSION.items()
        if name in known
    ]
    places: tuple[tuple[_Place, type[base.Technique]], ...] = (
        ("prepare", base.PreparationTechnique),
        ("refine", base.RefinementTechnique),
    )
    for place, kind in places:
        for cls in base.concrete(kind):
            if _needs_no_settings(cls) and not getattr(cls, "is_last", False):
                name = cls.technique
                found.append(
                    Choice(name=name, place=place, options={name: cls()})
                )
    return found


def _conversions_by_technique() -> dict[
    str, dict[str, base.ConversionTechnique]
]:
    found = {
        cls.technique: dict(cls.presets())
        for cls in base.conversion_techniques()
    }
    if _MIXED_PRECISION in found:
        found[_MIXED_PRECISION] |= _mixed_precision()
    return {name: options for name, options in found.items() if options}


def _mixed_precision() -> dict[str, base.ConversionTechnique]:
    """Float in front, where it costs least, and float scores."""
    found = {}
    for prefix in _FLOAT_PREFIXES:
        for is_dynamic in (False, True):
            if not (prefix or is_dynamic):
                continue
            technique = base.from_recipe(
                {
                    "technique": _MIXED_PRECISION,
                    "float_prefix": prefix,
                    "dynamic_last_layer": is_dynamic,
                }
            )
            if not isinstance(technique, base.ConversionTechnique):
                raise TypeError(technique.technique)
            last = "_float_scores" if is_dynamic else ""
            found[f"mixed{prefix}{last}"] = technique
    return found


def _needs_no_settings(cls: type[base.Technique]) -> bool:
    return not inspect.isabstract(cls) and all(
        field.default is not dataclasses.MISSING
        or field.default_factory is not dataclasses.MISSING
        for field in dataclasses.fields(cls)
    )


def _with(
    found: recipe_lib.Recipe, place: _Place, technique: base.Technique
) -> recipe_lib.Recipe | None:
    """Returns a longer recipe, or None where that is not legal or sensible."""
    steps: tuple[base.Technique, ...] = getattr(found, place)
    names = {technique.technique, *(x.technique for x in steps)}
    if names >= _NARROWING:
        return None
    if isinstance(technique, base.CompressionTechnique):
        given = {x.gives for x in found.compress if x.gives is not None}
        kept = tuple(given & technique.preserves)
        technique = dataclasses.replace(technique, preserve=kept)
    try:
        longer: dict[str, Any] = {place: (*steps, technique)}
        return dataclasses.replace(found, **longer)
    except errors.InputError:
        return None


def _taught(
    found: recipe_lib.Recipe, distillation: training.Distillation | None
) -> recipe_lib.Recipe:
    """Lets the uncompressed model teach in all that has no teacher yet."""
    steps = tuple(
        dataclasses.replace(x, distillation=x.distillation or distillation)
        for x in found.compress
    )
    return dataclasses.replace(found, compress=steps)


def _alone(technique: base.Technique) -> base.Technique:
    """Returns it as it is without steps before it."""
    if isinstance(technique, base.CompressionTechnique):
        return dataclasses.replace(technique, preserve=())
    return technique
