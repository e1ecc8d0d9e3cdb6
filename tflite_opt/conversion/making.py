# SPDX-License-Identifier: Apache-2.0
"""Carries out the steps of a recipe on a frozen model, each of them proven.

A preparation changes the float model itself, so whether it helps shows only at
the end: the variant is made with it and without it, and the better one stays.
"""

import dataclasses
import pathlib
import tempfile
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tflite_opt import recipe as recipe_lib
from tflite_opt.conversion import context as context_lib
from tflite_opt.conversion import job as job_lib
from tflite_opt.post_training import acceptance
from tflite_opt.records import conversion, errors, files
from tflite_opt.techniques import base
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import interpreter

# As a fraction of the largest output: what scaling may do to float arithmetic.
_MAX_DIFFERENCE = 1e-4

# From the number of steps that are done to where the result goes.
_Place = Callable[[int], pathlib.Path]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Start:
    """A conversion that refinements start from.

    Attributes:
        context: What was converted.
        converted: The result.
        notes: One sentence each on what was done before.
    """

    context: context_lib.FrozenModel
    converted: conversion.Converted
    notes: tuple[str, ...] = ()


class Made:
    """A converted file and what became of it, step by step.

    Attributes:
        converted: By the conversion.
        path: The file so far.
        parents: Hashes of the files on the way, in order.
        notes: One sentence each on what the steps did.
    """

    def __init__(
        self, technique: base.ConversionTechnique, start: Start, place: _Place
    ) -> None:
        """Writes the converted file.

        Args:
            technique: The conversion.
            start: What it gave.
            place: Where files go.
        """
        self._technique = technique
        self._context = start.context
        self._place = place
        self._num_steps = 0
        self.converted = start.converted
        self.path = place(0)
        files.write_bytes(self.path, self.converted.content)
        self.parents = [self._context.float_facts.sha256]
        self.notes: list[str] = []
        if (
            technique.needs_representative_dataset
            and self.converted.backend == "litert_quantizer"
        ):
            self.notes.append(self._context.ranges.describe())

    @property
    def parent(self) -> pathlib.Path:
        """The float `.tflite` that was converted, prepared where it was."""
        return self._context.float_model

    def refine(self, technique: base.RefinementTechnique) -> None:
        """Refines the file; the conversion is proven on it before."""
        before = facts_reader.read_facts(self.path, delegation=False)
        self._technique.verify(before)
        result = self._place(self._num_steps + 1)
        self.notes += technique.refine(
            self.parent,
            self.path,
            result,
            self._context.representative,
        )
        after = facts_reader.read_facts(result, delegation=False)
        technique.verify(before, after)
        self.parents.append(before.sha256)
        self.path = result
        self._num_steps += 1

    def move(self, place: _Place) -> None:
        """Copies all files to other places."""
        for step in range(self._num_steps + 1):
            files.write_bytes(place(step), self._place(step).read_bytes())
        self._place = place
        self.path = place(self._num_steps)


def convert(
    recipe: recipe_lib.Recipe,
    context: context_lib.FrozenModel,
    layout: job_lib.Layout,
) -> tuple[Start, ...]:
    """Prepares and converts.

    Args:
        recipe: What to do.
        context: The frozen model.
        layout: Where prepared files go.

    Returns:
        The conversion of the frozen model; before it, that of the prepared
        one if the recipe prepares.

    Raises:
        TfliteOptError: If a step fails, or a preparation changes the function.
    """
    plain = Start(context=context, converted=recipe.convert.convert(context))
    if not recipe.prepare:
        return (plain,)
    fitting, _ = acceptance.split(context.representative)
    prepared = context
    notes: list[str] = []
    for number, step in enumerate(recipe.prepare):
        path = layout.prepared(recipe.name, number)
        notes += step.prepare(prepared.float_model, path, fitting)
        require_same_function(prepared.float_model, path, fitting)
        prepared = prepared.replaced_by(path)
    start = Start(
        context=prepared,
        converted=recipe.convert.convert(prepared),
        notes=tuple(notes),
    )
    return start, plain


def refine(
    recipe: recipe_lib.Recipe,
    starts: Sequence[Start],
    layout: job_lib.Layout,
    destination: pathlib.Path,
) -> Made:
    """Refines what was converted, and writes the file of a recipe.

    Args:
        recipe: What to do.
        starts: From `convert`.
        layout: Where files between the steps go.
        destination: Where the result goes; the caller proves it.

    Raises:
        TfliteOptError: If a step fails or breaks its promise.
    """

    def place(step: int) -> pathlib.Path:
        last = step == len(recipe.refine)
        return destination if last else layout.unrefined(recipe.name, step)

    fitted = [step for step in recipe.refine if not step.is_last]
    made = _refined(recipe, fitted, starts[0], place)
    if recipe.prepare:
        made = _better(recipe, fitted, made, starts, place)
    for step in recipe.refine[len(fitted) :]:
        made.refine(step)
    return made


def _refined(
    recipe: recipe_lib.Recipe,
    steps: Sequence[base.RefinementTechnique],
    start: Start,
    place: _Place,
) -> Made:
    made = Made(recipe.convert, start, place)
    for step in steps:
        made.refine(step)
    return made


def _better(
    recipe: recipe_lib.Recipe,
    steps: Sequence[base.RefinementTechnique],
    made: Made,
    starts: Sequence[Start],
    place: _Place,
) -> Made:
    """Returns what was made with the preparations, or without them."""
    prepared, plain = starts
    parent = plain.context
    _, held_out = acceptance.split(parent.representative)
    with tempfile.TemporaryDirectory() as folder:
        other = _refined(
            recipe,
            steps,
            plain,
            lambda step: pathlib.Path(folder) / f"{step}.tflite",
        )
        judgement = acceptance.judge(
            parent.float_model, other.path, made.path, held_out
        )
        if judgement.is_better:
            made.parents.insert(0, parent.float_facts.sha256)
        else:
            other.move(place)
            made = other
    change = " and ".join(step.technique for step in recipe.prepare)
    made.notes = [*prepared.notes, judgement.describe(change), *made.notes]
    return made


def require_same_function(
    before: pathlib.Path,
    after: pathlib.Path,
    inputs: Mapping[str, np.ndarray],
) -> None:
    """Checks that two float files give the same outputs.

    Args:
        before: A `.tflite`.
        after: What was made from it.
        inputs: By name, shape `(n, ...)`.

    Raises:
        VerificationError: If an output differs by more than 1e-4 of the
            largest one.
    """
    expected, found = (
        interpreter.predict(path, inputs) for path in (before, after)
    )
    for name, wanted in expected.items():
        largest = float(np.abs(wanted).max(initial=0)) or 1.0
        apart = float(np.abs(found[name] - wanted).max(initial=0)) / largest
        if not apart <= _MAX_DIFFERENCE:
            raise errors.VerificationError(
                "A prepared float model must give the outputs that it gave "
                f"before, within {_MAX_DIFFERENCE} of the largest. Received: "
                f"output {name!r} with a difference of {apart:.2g}."
            )
