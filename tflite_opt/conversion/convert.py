# SPDX-License-Identifier: Apache-2.0
"""Many verified variants of one model, whatever one conversion does.

The work happens in a child process, one for all variants. When a conversion
crashes or hangs, that variant becomes a `Failure` and the others go on in a
new process. Imports no TensorFlow.
"""

import contextlib
import dataclasses
import logging
import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from tflite_opt import child_process, progress
from tflite_opt import recipe as recipe_lib
from tflite_opt.conversion import job as job_lib
from tflite_opt.conversion import remedies
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.records import (
    compression,
    errors,
    model_spec,
    run_directory,
    variants,
)

_LOG = logging.getLogger(__name__)
_WORKER = "tflite_opt.conversion.worker"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What to convert, and how.

    Attributes:
        model: What to convert.
        data: Where representative samples come from.
        data_fingerprint: Hash of all splits, so that a resumed run notices
            other data under the same name.
        recipes: The variants to make.
        reference_splits: Splits on which the original model's outputs are kept.
        timeout_s: Longest time for one variant.
        compressed: What recipes that compress start from, by name.
    """

    model: model_spec.ModelSpec
    data: dataset_lib.DataSpec
    data_fingerprint: str
    recipes: Sequence[recipe_lib.Recipe]
    reference_splits: tuple[str, ...] = ("validation", "test")
    timeout_s: float = 600.0
    compressed: Mapping[str, compression.CompressedModel] = dataclasses.field(
        default_factory=dict
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Source:
    """What some of the recipes start from.

    Attributes:
        request: With the model and the recipes of this source only.
        layout: Where its files live.
        compressed: How it was made; None for the user's own model.
    """

    request: Request
    layout: job_lib.Layout
    compressed: compression.CompressedModel | None = None

    @property
    def freeze_stage(self) -> str:
        """Name of the stage that freezes it."""
        if self.compressed is None:
            return "freeze"
        return f"freeze/{self.layout.source}"

    @property
    def freeze_inputs(self) -> dict[str, Any]:
        """What the frozen model depends on."""
        request = self.request
        return {
            "model": request.model.identity(),
            "data": request.data_fingerprint,
            "reference_splits": list(request.reference_splits),
            "versions": run_directory.package_versions(),
        }

    def inputs(self, recipe: recipe_lib.Recipe) -> dict[str, Any]:
        """What a variant depends on."""
        return self.freeze_inputs | {"recipe": recipe.to_json()}


def convert(
    request: Request, run: run_directory.RunDirectory
) -> tuple[list[variants.Variant], list[variants.Failure]]:
    """Makes what is missing of the requested variants.

    Args:
        request: The model and its recipes.
        run: Where results go; finished stages are kept.

    Returns:
        The variants and the failures, each in the order of the recipes.

    Raises:
        ModelError: If the model cannot be loaded or frozen.
        DataError: If the data do not fit it.
        ConversionError: If not even the float model converts.
    """
    sources = _sources(request, run)
    missing = {
        source.freeze_stage: [
            recipe
            for recipe in source.request.recipes
            if not run.is_done(_stage(recipe), source.inputs(recipe))
        ]
        for source in sources
    }
    failed: dict[str, variants.Failure] = {}
    with progress.track("convert", sum(map(len, missing.values()))) as bar:
        for source in sources:
            stage, left = source.freeze_stage, missing[source.freeze_stage]
            while left or not run.is_done(stage, source.freeze_inputs):
                done = _run_child(source, left, run, failed, bar)
                left = [recipe for recipe in left if recipe.name not in done]
    layout = sources[0].layout
    found = [
        variants.Variant.load(layout.variant(recipe.name), run.root)
        for recipe in request.recipes
        if recipe.name not in failed
    ]
    return found, list(failed.values())


def _sources(
    request: Request, run: run_directory.RunDirectory
) -> list[_Source]:
    """Returns the user's model, then each compressed one, with its recipes."""
    compressed = request.compressed
    own = [x for x in request.recipes if x.name not in compressed]
    found = [
        _Source(
            request=dataclasses.replace(request, recipes=own),
            layout=job_lib.Layout(root=run.root),
        )
    ]
    for model in {x.artifact.sha256: x for x in compressed.values()}.values():
        same = {
            name
            for name, other in compressed.items()
            if other.artifact.sha256 == model.artifact.sha256
        }
        folder = model.artifact.path.parent.relative_to(run.root) / "float"
        found.append(
            _Source(
                request=dataclasses.replace(
                    request,
                    model=request.model.replaced_by(model),
                    recipes=[x for x in request.recipes if x.name in same],
                    reference_splits=("validation",),
                ),
                layout=job_lib.Layout(root=run.root, source=folder.as_posix()),
                compressed=model,
            )
        )
    return found


def _run_child(
    source: _Source,
    recipes: Sequence[recipe_lib.Recipe],
    run: run_directory.RunDirectory,
    failed: dict[str, variants.Failure],
    bar: progress.Progress,
) -> set[str]:
    """Runs one child; returns the names that are settled, well or badly."""
    request, layout = source.request, source.layout
    by_name = {recipe.name: recipe for recipe in recipes}
    settled: set[str] = set()
    current: str | None = None
    examined: str | None = None

    def fail(name: str, message: str) -> None:
        failed[name] = _failure(request, by_name[name], message)
        _LOG.warning("%s", failed[name])
        settled.add(name)

    try:
        for event in _events(source, recipes, run):
            match event["event"]:
                case "frozen":
                    run.finish(
                        source.freeze_stage,
                        source.freeze_inputs,
                        _frozen_files(request, layout),
                    )
                case "converting":
                    current = event["name"]
                    bar.step(event["name"])
                case "converted":
                    name, current = event["name"], None
                    run.finish(
                        _stage(by_name[name]),
                        source.inputs(by_name[name]),
                        layout.files_of(by_name[name]),
                    )
                    settled.add(name)
                case "examining":
                    examined = event["name"]
                case "failed":
                    current = None
                    fail(event["name"], event["message"])
                case "aborted":
                    raise errors.from_child(**event["error"])
    except child_process.ChildError as died:
        if current is None and examined is not None:
            # The file was finished before.
            _LOG.warning("No errors of tensors of %s: %s.", examined, died)
            return settled
        if current is None:
            raise errors.ConversionError(
                f"Freezing {request.model.name!r} failed: {died}. "
                f"{remedies.remedy_for(str(died))} See {layout.log}."
            ) from died
        fail(current, f"{died}.")
    return settled


def _events(
    source: _Source,
    recipes: Sequence[recipe_lib.Recipe],
    run: run_directory.RunDirectory,
) -> Any:
    request, layout = source.request, source.layout
    job = job_lib.Job(
        model=request.model,
        layout=layout,
        data=request.data,
        freeze=not run.is_done(source.freeze_stage, source.freeze_inputs),
        reference_splits=request.reference_splits,
        recipes=tuple(recipe.to_json() for recipe in recipes),
        compressed=source.compressed,
    )
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        path = pathlib.Path(folder) / "job.json"
        job.save(path)
        yield from child_process.events(
            _WORKER,
            [str(path)],
            log=layout.log,
            timeout_s=request.timeout_s,
        )


def _failure(
    request: Request, recipe: recipe_lib.Recipe, message: str
) -> variants.Failure:
    return variants.Failure(
        model=request.model.name,
        name=recipe.name,
        technique=recipe.describe(),
        message=" ".join(message.split()),
        remedy=remedies.remedy_for(message),
    )


def _frozen_files(
    request: Request, layout: job_lib.Layout
) -> list[pathlib.Path]:
    return [
        layout.opened,
        layout.float_model,
        layout.data_check,
        *([layout.saved_model] if layout.saved_model.exists() else []),
        *(layout.original_outputs(split) for split in request.reference_splits),
    ]


def _stage(recipe: recipe_lib.Recipe) -> str:
    return f"convert/{recipe.name}"
