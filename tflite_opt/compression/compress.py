# SPDX-License-Identifier: Apache-2.0
"""Makes the compressed Keras models that recipes start from.

Recipes that begin with the same techniques share what those make. A step that
fails costs the recipes that need it; the others go on. Imports no TensorFlow.
"""

import collections
import dataclasses
import functools
import graphlib
import json
import logging
import pathlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflite_opt import child_process, cpu_threads, progress
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
_Chain = Sequence[base.CompressionTechnique]
# Or why there is none.
_Made = compression.CompressedModel | str


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
        processes: Steps at a time, each on its share of the CPUs. Of several,
            the trainings talk to files.
    """

    model: model_spec.ModelSpec
    data: dataset_lib.DataSpec
    data_fingerprint: str
    recipes: Sequence[recipe_lib.Recipe]
    options: training.TrainingOptions
    processes: int = 1


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
    made = _make(request, chains, run)
    found, failures = {}, []
    for recipe in request.recipes:
        if not recipe.compress:
            continue
        result = made[_folder(request, recipe.compress, run)]
        if isinstance(result, str):
            failures.append(_failure(request, recipe, result))
            _LOG.warning("%s", failures[-1])
        else:
            found[recipe.name] = result
    return found, failures


def _make(
    request: Request,
    chains: Mapping[pathlib.Path, _Chain],
    run: run_directory.RunDirectory,
) -> dict[pathlib.Path, _Made]:
    """Carries out steps, as many at a time as there are shares of the CPUs."""
    before = {
        folder: _folder(request, chain[:-1], run) if chain[1:] else None
        for folder, chain in chains.items()
    }
    made: dict[pathlib.Path, _Made] = {}
    shares = cpu_threads.shares(min(request.processes, len(chains)))
    threads = cpu_threads.Threads[tuple[pathlib.Path, list[int], _Made]]()
    several = len(shares) > 1
    # A single one needs no thread: an interrupt ends it at once.
    begin = threads.start if several else threads.run

    def carry_out(
        folder: pathlib.Path, cpus: list[int]
    ) -> Iterator[tuple[pathlib.Path, list[int], _Made]]:
        parent = before[folder]
        earlier = made[parent] if parent else None
        # Lines of several trainings in one stream could not be told apart.
        log = run.path("logs", f"{folder.name}.log") if several else None
        chain = chains[folder]
        yield folder, cpus, _attempt(request, chain, earlier, folder, run, log)

    order = graphlib.TopologicalSorter(
        {folder: [x] if x else [] for folder, x in before.items()}
    )
    order.prepare()
    ready: collections.deque[pathlib.Path] = collections.deque()
    with progress.track("compress", len(chains)) as bar:
        while order.is_active():
            ready.extend(order.get_ready())
            while ready and shares:
                folder, cpus = ready.popleft(), shares.pop()
                bar.step(folder.name)
                begin(cpus, functools.partial(carry_out, folder, cpus))
            folder, cpus, result = threads.get()
            made[folder] = result
            shares.append(cpus)
            order.done(folder)
    return made


def _attempt(
    request: Request,
    chain: _Chain,
    before: _Made | None,
    folder: pathlib.Path,
    run: run_directory.RunDirectory,
    log: pathlib.Path | None,
) -> _Made:
    if isinstance(before, str):
        return before
    try:
        return _step(request, chain, before, folder, run, log)
    except (errors.OutputError, errors.UserCodeError):
        raise
    except errors.TfliteOptError as error:
        return f"{chain[-1].technique}: {error}"


def _folder(
    request: Request,
    chain: _Chain,
    run: run_directory.RunDirectory,
) -> pathlib.Path:
    """Names a step by all that it depends on."""
    names = "+".join(technique.technique for technique in chain)
    key = json.dumps(_inputs(request, chain), sort_keys=True)
    return run.path("compressed", f"{names}-{files.sha256_of_text(key)[:8]}")


def _inputs(request: Request, chain: _Chain) -> dict[str, Any]:
    return {
        "model": request.model.identity(),
        "data": request.data_fingerprint,
        "steps": [technique.to_recipe() for technique in chain],
        "options": request.options.without_logs().to_json(),
        "versions": run_directory.package_versions(),
    }


def _step(
    request: Request,
    chain: _Chain,
    before: compression.CompressedModel | None,
    folder: pathlib.Path,
    run: run_directory.RunDirectory,
    log: pathlib.Path | None,
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
        _run_child(job, log)
        run.finish(stage, inputs, [job.model_path, job.record_path])
    return compression.CompressedModel.load(job.record_path)


def _run_child(job: job_lib.Job, log: pathlib.Path | None) -> None:
    """Trains in a process that gives TensorFlow's memory back."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "job.json"
        job.save(path)
        try:
            for error in child_process.events(_WORKER, [str(path)], log=log):
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
