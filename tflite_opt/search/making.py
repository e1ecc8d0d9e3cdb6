# SPDX-License-Identifier: Apache-2.0
"""Makes the artifacts of a job's recipes and judges them on validation data.

What a recipe gives depends on the job alone. The latency is not measured here:
that needs a machine that does nothing else.
"""

import dataclasses
import pathlib
import shutil
import time
from collections.abc import Iterator

import numpy as np

from tflite_opt import recipe as recipe_lib
from tflite_opt import stages
from tflite_opt.conversion import convert
from tflite_opt.conversion import job as conversion_job
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import sources
from tflite_opt.records import (
    errors,
    evaluation,
    files,
    run_directory,
    search,
    variants,
)
from tflite_opt.search import job as job_lib
from tflite_opt.search import limits as limits_lib

BASELINE = "float32"
VARIANT = "variant.json"
_COMMAND = "scripts.search"
_SUBSET = "validation_subset"
# What another recipe need not meet.
_OF_THE_RECIPE = (
    errors.ModelError,
    errors.ConversionError,
    errors.VerificationError,
)


def make(job: job_lib.Job) -> Iterator[search.Outcome]:
    """Yields the outcome of each recipe, in order.

    Raises:
        InputError: If packages or data are not those that were asked for.
    """
    _check_surroundings(job)
    if not job.work.exists():
        with files.atomic_folder(job.work) as temporary:
            shutil.copytree(job.base, temporary, dirs_exist_ok=True)
    run = run_directory.RunDirectory.create(
        job.work, command=_COMMAND, resume=True
    )
    data = _load(job)
    for content in job.recipes:
        started = time.perf_counter()
        recipe = recipe_lib.Recipe.from_json(content)
        try:
            outcome = _make_one(job, recipe, data, run)
        except _OF_THE_RECIPE as error:
            outcome = _failed(recipe.name, str(error))
        yield dataclasses.replace(
            outcome, seconds=round(time.perf_counter() - started, 3)
        )


def make_baseline(
    job: job_lib.Job,
) -> tuple[variants.Variant, evaluation.Evaluation]:
    """Makes the float32 variant in the job's `base`, and evaluates it.

    Raises:
        ConversionError: If there is none.
    """
    run = run_directory.RunDirectory.create(
        job.base, command=_COMMAND, resume=job.base.exists()
    )
    data = _load(job)
    recipes = recipe_lib.parse_names([BASELINE])
    found, _ = stages.make_variants(
        _request(job, recipes), job.fine_tuning, run
    )
    for split in (_SUBSET, "validation"):
        evaluated = _evaluate(job, found, data, split, run)
    return found[0], evaluated[0]


def outcome_of(
    variant: variants.Variant, evaluated: evaluation.Evaluation
) -> search.Outcome:
    """Returns what is known of an artifact before its latency is measured."""
    return search.Outcome(
        name=variant.artifact.name,
        status="measured",
        metric=evaluated.metric.value,
        drop=evaluated.drop.value if evaluated.drop else 0.0,
        size_bytes=variant.artifact.size_bytes,
        gzip_bytes=variant.facts.gzip_bytes,
        macs=variant.facts.macs,
    )


def _check_surroundings(job: job_lib.Job) -> None:
    own = run_directory.package_versions()
    if own != job.versions:
        raise errors.InputError(
            "All hosts must have the same packages. Received: "
            + ", ".join(
                f"{name} {own.get(name)} instead of {version}"
                for name, version in job.versions.items()
                if own.get(name) != version
            )
        )


def _load(job: job_lib.Job) -> dataset_lib.Dataset:
    """Returns the data with a part of validation that is looked at first."""
    data = sources.load(job.data)
    if data.fingerprint() != job.data_fingerprint:
        raise errors.DataError(
            "All hosts must have the same data. Received: others under "
            f"source={job.data.source!r}."
        )
    validation = data["validation"]
    order = np.random.default_rng(job.data.seed).permutation(len(validation))
    subset = validation.take(np.sort(order[: job.subset]), _SUBSET)
    return dataclasses.replace(data, splits={**data.splits, _SUBSET: subset})


def _make_one(
    job: job_lib.Job,
    recipe: recipe_lib.Recipe,
    data: dataset_lib.Dataset,
    run: run_directory.RunDirectory,
) -> search.Outcome:
    recipes = (*recipe_lib.parse_names([BASELINE]), recipe)
    found, failures = stages.make_variants(
        _request(job, recipes), job.fine_tuning, run
    )
    if failures:
        return _failed(recipe.name, failures[0].message)
    variant = found[-1]
    for split in (_SUBSET, "validation"):
        evaluated = _evaluate(job, found, data, split, run)[-1]
        drop = evaluated.drop
        if split == _SUBSET and drop and drop.verdict == "exceeded":
            return _stopped(recipe.name, evaluated, job)
    _keep(variant, run, job.made / recipe.name)
    return outcome_of(variant, evaluated)


def _request(
    job: job_lib.Job, recipes: tuple[recipe_lib.Recipe, ...]
) -> convert.Request:
    return convert.Request(
        model=job.model,
        data=job.data,
        data_fingerprint=job.data_fingerprint,
        recipes=recipes,
        timeout_s=job.conversion_timeout_s,
    )


def _evaluate(
    job: job_lib.Job,
    found: list[variants.Variant],
    data: dataset_lib.Dataset,
    split: str,
    run: run_directory.RunDirectory,
) -> list[evaluation.Evaluation]:
    return stages.evaluate(
        [variant.artifact for variant in found],
        data,
        split,
        job.evaluation,
        run,
    )


def _failed(name: str, message: str) -> search.Outcome:
    return search.Outcome(
        name=name, status="failed", reason=" ".join(message.split())
    )


def _stopped(
    name: str, evaluated: evaluation.Evaluation, job: job_lib.Job
) -> search.Outcome:
    drop = evaluated.drop
    if drop is None:
        raise ValueError(f"{name} has no baseline.")
    limits = search.Limits(max_accuracy_drop=job.max_accuracy_drop)
    return search.Outcome(
        name=name,
        status="stopped",
        reason=(
            f"Loses {drop.value:.4f}, at least {drop.low:.4f}, on the first "
            f"{drop.num_examples} validation examples."
        ),
        excess=limits_lib.excess(limits, drop=drop.low),
        drop=drop.value,
    )


def _keep(
    variant: variants.Variant,
    run: run_directory.RunDirectory,
    folder: pathlib.Path,
) -> None:
    """Copies what a recipe gave to a folder that can go elsewhere."""
    layout = conversion_job.Layout(root=run.root)
    delivered = layout.delivered(variant.artifact.name)
    with files.atomic_folder(folder) as temporary:
        for path in delivered:
            shutil.copyfile(path, temporary / path.name)
        artifact = dataclasses.replace(
            variant.artifact, path=folder.resolve() / delivered[0].name
        )
        dataclasses.replace(variant, artifact=artifact).save(
            temporary / VARIANT, folder
        )
