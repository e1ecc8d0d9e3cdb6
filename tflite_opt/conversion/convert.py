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
from collections.abc import Sequence
from typing import Any

from tflite_opt import child_process, progress
from tflite_opt import recipe as recipe_lib
from tflite_opt.conversion import job as job_lib
from tflite_opt.conversion import remedies
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.records import errors, model_spec, run_directory, variants

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
    """

    model: model_spec.ModelSpec
    data: dataset_lib.DataSpec
    data_fingerprint: str
    recipes: Sequence[recipe_lib.Recipe]
    reference_splits: tuple[str, ...] = ("validation", "test")
    timeout_s: float = 600.0


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
    layout = job_lib.Layout(root=run.root)
    missing = [
        recipe
        for recipe in request.recipes
        if not run.is_done(_stage(recipe), _inputs(request, recipe))
    ]
    failed: dict[str, variants.Failure] = {}
    with progress.track("convert", len(missing)) as bar:
        while missing or not run.is_done("freeze", _freeze_inputs(request)):
            done = _run_child(request, missing, run, layout, failed, bar)
            missing = [recipe for recipe in missing if recipe.name not in done]
    found = [
        variants.Variant.load(layout.variant(recipe.name), run.root)
        for recipe in request.recipes
        if recipe.name not in failed
    ]
    return found, list(failed.values())


def _run_child(
    request: Request,
    recipes: Sequence[recipe_lib.Recipe],
    run: run_directory.RunDirectory,
    layout: job_lib.Layout,
    failed: dict[str, variants.Failure],
    bar: progress.Progress,
) -> set[str]:
    """Runs one child; returns the names that are settled, well or badly."""
    by_name = {recipe.name: recipe for recipe in recipes}
    settled: set[str] = set()
    current: str | None = None

    def fail(name: str, message: str) -> None:
        failed[name] = _failure(request, by_name[name], message)
        _LOG.warning("%s", failed[name])
        settled.add(name)

    try:
        for event in _events(request, recipes, run, layout):
            match event["event"]:
                case "frozen":
                    run.finish(
                        "freeze",
                        _freeze_inputs(request),
                        _frozen_files(request, layout),
                    )
                case "converting":
                    current = event["name"]
                    bar.step(event["name"])
                case "converted":
                    name, current = event["name"], None
                    run.finish(
                        _stage(by_name[name]),
                        _inputs(request, by_name[name]),
                        layout.files_of(by_name[name]),
                    )
                    settled.add(name)
                case "failed":
                    current = None
                    fail(event["name"], event["message"])
                case "aborted":
                    raise errors.from_child(**event["error"])
    except child_process.ChildError as died:
        if current is None:
            raise errors.ConversionError(
                f"Freezing {request.model.name!r} failed: {died}. "
                f"{remedies.remedy_for(str(died))} See {layout.log}."
            ) from died
        fail(current, f"{died}.")
    return settled


def _events(
    request: Request,
    recipes: Sequence[recipe_lib.Recipe],
    run: run_directory.RunDirectory,
    layout: job_lib.Layout,
) -> Any:
    job = job_lib.Job(
        model=request.model,
        layout=layout,
        data=request.data,
        freeze=not run.is_done("freeze", _freeze_inputs(request)),
        reference_splits=request.reference_splits,
        recipes=tuple(recipe.to_json() for recipe in recipes),
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


def _freeze_inputs(request: Request) -> dict[str, Any]:
    return {
        "model": request.model.identity(),
        "data": request.data_fingerprint,
        "reference_splits": list(request.reference_splits),
        "versions": run_directory.package_versions(),
    }


def _inputs(request: Request, recipe: recipe_lib.Recipe) -> dict[str, Any]:
    return _freeze_inputs(request) | {"recipe": recipe.to_json()}
