# SPDX-License-Identifier: Apache-2.0
"""Makes the compressed Keras models that recipes start from.

Recipes that begin with the same techniques share what those make. A step that
fails costs the recipes that need it; the others go on. Imports no TensorFlow.
"""

import dataclasses
import json
import logging
import pathlib
import tempfile
from collections.abc import Sequence
from typing import Any

from tflite_opt import child_process, progress
from tflite_opt import recipe as recipe_lib
from tflite_opt.compression import job as job_lib
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.records import (
    compression,
    errors,
    files,
    model_spec,
    run_directory,
    training,
    variants,
)
from tflite_opt.techniques import base

_LOG = logging.getLogger(__name__)
_WORKER = "tflite_opt.compression.worker"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What to compress, and how.

    Attributes:
        model: What all recipes start from.
        data: What is trained on.
        data_fingerprint: Hash of all splits, so that a resumed run notices
            other data under the same name.
        recipes: Those without compression are not looked at.
        options: Of fine-tuning, where a technique does not say otherwise.
    """

    model: model_spec.ModelSpec
    data: dataset_lib.DataSpec
    data_fingerprint: str
    recipes: Sequence[recipe_lib.Recipe]
    options: training.TrainingOptions


def compress(
    request: Request, run: run_directory.RunDirectory
) -> tuple[dict[str, compression.CompressedModel], list[variants.Failure]]:
    """Makes what is missing of the compressed models.

    Args:
        request: The model and its recipes.
        run: Where results go; finished steps are kept.

    Returns:
        The models by the names of the recipes that start from them, and why
        there is none for others.

    Raises:
        OutputError: If results cannot be written.
    """
    chains = {
        _folder(request, recipe.compress[:count], run): recipe.compress[:count]
        for recipe in request.recipes
        for count in range(1, len(recipe.compress) + 1)
    }
    made: dict[pathlib.Path, compression.CompressedModel] = {}
    broken: dict[pathlib.Path, str] = {}
    with progress.track("compress", len(chains)) as bar:
        for folder, chain in chains.items():
            before = _folder(request, chain[:-1], run)
            if before in broken:
                broken[folder] = broken[before]
                continue
            bar.step(folder.name)
            try:
                made[folder] = _step(
                    request, chain, made.get(before), folder, run
                )
            except (errors.OutputError, errors.UserCodeError):
                raise
            except errors.TfliteOptError as error:
                broken[folder] = f"{chain[-1].technique}: {error}"
    found, failures = {}, []
    for recipe in request.recipes:
        folder = _folder(request, recipe.compress, run)
        if folder in made:
            found[recipe.name] = made[folder]
        elif folder in broken:
            failures.append(_failure(request, recipe, broken[folder]))
            _LOG.warning("%s", failures[-1])
    return found, failures


def _folder(
    request: Request,
    chain: Sequence[base.CompressionTechnique],
    run: run_directory.RunDirectory,
) -> pathlib.Path:
    """Names a step by all that it depends on."""
    names = "+".join(technique.technique for technique in chain)
    key = json.dumps(_inputs(request, chain), sort_keys=True)
    return run.path("compressed", f"{names}-{files.sha256_of_text(key)[:8]}")


def _inputs(
    request: Request, chain: Sequence[base.CompressionTechnique]
) -> dict[str, Any]:
    return {
        "model": request.model.identity(),
        "data": request.data_fingerprint,
        "steps": [technique.to_recipe() for technique in chain],
        "options": request.options.without_logs().to_json(),
        "versions": run_directory.package_versions(),
    }


def _step(
    request: Request,
    chain: Sequence[base.CompressionTechnique],
    before: compression.CompressedModel | None,
    folder: pathlib.Path,
    run: run_directory.RunDirectory,
) -> compression.CompressedModel:
    stage, inputs = f"compress/{folder.name}", _inputs(request, chain)
    job = job_lib.Job(
        model=request.model,
        before=before,
        technique=chain[-1].to_recipe(),
        data=request.data,
        options=request.options,
        folder=folder,
    )
    if not run.is_done(stage, inputs):
        _run_child(job)
        run.finish(stage, inputs, [job.model_path, job.record_path])
    return compression.CompressedModel.load(job.record_path)


def _run_child(job: job_lib.Job) -> None:
    """Trains in a process that gives TensorFlow's memory back."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "job.json"
        job.save(path)
        try:
            for error in child_process.events(_WORKER, [str(path)]):
                raise errors.from_child(**error)
        except child_process.ChildError as died:
            raise errors.ModelError(
                f"Training ended early: {died}. If memory is the reason, "
                "lower --batch_size or --limit."
            ) from died


def _failure(
    request: Request,
    recipe: recipe_lib.Recipe,
    message: str,
) -> variants.Failure:
    return variants.Failure(
        model=request.model.name,
        name=recipe.name,
        technique=recipe.describe(),
        message=" ".join(message.split()),
        remedy="",
    )
