# SPDX-License-Identifier: Apache-2.0
"""Each stage on a run directory: do what is missing, keep the rest.

Every function states what its results depend on, skips what is done, and
writes its records before it marks itself finished.
"""

import dataclasses
import functools
import logging
import pathlib
from collections.abc import Collection, Sequence

import numpy as np

from tflite_opt import progress
from tflite_opt import recipe as recipe_lib
from tflite_opt.benchmark import op_profiling
from tflite_opt.compression import compress as compression_stage
from tflite_opt.conversion import convert as conversion_stage
from tflite_opt.conversion import preflight as preflight_stage
from tflite_opt.data import corruptions
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.evaluation import evaluate as evaluation_stage
from tflite_opt.records import (
    artifact,
    benchmark,
    data_check,
    errors,
    evaluation,
    files,
    report,
    run_directory,
    training,
    variants,
)
from tflite_opt.records import preflight as preflight_record
from tflite_opt.report import (
    build,
    data_check_text,
    preflight_text,
    recommendation,
)

_LOG = logging.getLogger(__name__)


def describe(
    model: artifact.Artifact,
    data: dataset_lib.Dataset,
    recipes: Sequence[recipe_lib.Recipe],
    max_accuracy_drop: float,
    objective: report.Objective,
    run: run_directory.RunDirectory,
) -> None:
    """Writes down what the run sets out to do."""
    splits = data.splits.items()
    report.RunDescription(
        model=model,
        dataset=data.name,
        data_fingerprints={name: x.fingerprint() for name, x in splits},
        num_examples={name: len(x) for name, x in splits},
        recipes=tuple(recipe.name for recipe in recipes),
        max_accuracy_drop=max_accuracy_drop,
        objective=objective,
    ).save(build.RunRecords(run).description, run.root)


def preflight(
    request: preflight_stage.Request, run: run_directory.RunDirectory
) -> preflight_record.Preflight:
    """Says what each technique would do to the model, before any training.

    Raises:
        ModelError: If there is no such model, or it cannot be loaded.
    """
    path = build.RunRecords(run).preflight
    request = request.with_model()
    inputs = {
        "request": request.to_json(),
        "versions": run_directory.package_versions(),
    }
    if not run.is_done("preflight", inputs):
        log = run.path("logs", "preflight.log")
        preflight_stage.run(request, log).save(path, run.root)
        run.finish("preflight", inputs, [path])
    found = preflight_record.Preflight.load(path, run.root)
    for line in preflight_text.sums(found):
        _LOG.info("%s", line)
    return found


def compress_and_convert(
    request: conversion_stage.Request,
    fine_tuning: training.TrainingOptions,
    run: run_directory.RunDirectory,
    processes: int = 1,
) -> tuple[list[variants.Variant], list[variants.Failure]]:
    """Makes variants that are no part of the run's results yet.

    Args:
        request: The model and the recipes.
        fine_tuning: How techniques train, where they do not say otherwise.
        run: Gets models and variants.
        processes: Recipes that train at a time, each on its share of the CPUs.
    """
    compressed, failed = compression_stage.compress(
        compression_stage.Request(
            model=request.model,
            data=request.data,
            data_fingerprint=request.data_fingerprint,
            recipes=request.recipes,
            options=fine_tuning,
            processes=processes,
        ),
        run,
    )
    names = {failure.name for failure in failed}
    found, failures = conversion_stage.convert(
        dataclasses.replace(
            request,
            recipes=[x for x in request.recipes if x.name not in names],
            compressed=compressed,
        ),
        run,
    )
    return found, [*failed, *failures]


def make_variants(
    request: conversion_stage.Request,
    fine_tuning: training.TrainingOptions,
    run: run_directory.RunDirectory,
    processes: int = 1,
) -> tuple[list[variants.Variant], list[variants.Failure]]:
    """Compresses and converts, and records what failed.

    Args:
        request: The model and the recipes.
        fine_tuning: How techniques train, where they do not say otherwise.
        run: Gets models, variants and records.
        processes: Recipes that train at a time, each on its share of the CPUs.

    Raises:
        ConversionError: If `float32` failed: there is nothing to compare with.
    """
    found, failures = compress_and_convert(request, fine_tuning, run, processes)
    places = build.RunRecords(run)
    check = places.optional(data_check.DataCheck, places.data_check)
    for line in data_check_text.warning_lines(check):
        _LOG.warning("%s", line)
    variants.Conversion(
        names=tuple(variant.artifact.name for variant in found),
        failures=tuple(failures),
    ).save(places.conversion, run.root)
    for failure in failures:
        if failure.name == request.recipes[0].name:
            raise errors.ConversionError(str(failure))
    return found, failures


def evaluate(
    artifacts: Sequence[artifact.Artifact],
    dataset: dataset_lib.Dataset,
    split: str,
    options: evaluation_stage.Options,
    run: run_directory.RunDirectory,
    original_outputs: pathlib.Path | None = None,
) -> list[evaluation.Evaluation]:
    """Evaluates models on one split.

    Args:
        artifacts: The first is the baseline of the paired differences.
        dataset: The data.
        split: Name of the split.
        options: How.
        run: Gets records and predictions.
        original_outputs: `.npz` of the original model's outputs on the split.
    """
    places = build.RunRecords(run)
    examples = dataset[split]
    shared = {
        "baseline": artifacts[0].sha256,
        "data": examples.fingerprint(),
        "original_outputs": _hash_of(original_outputs),
        "metric": options.metric,
        "max_accuracy_drop": options.max_accuracy_drop,
        "versions": run_directory.package_versions(),
    }
    # Large for dense outputs, and not needed when everything is done.
    original = functools.cache(lambda: _load_arrays(original_outputs))
    done: list[evaluation.Evaluation] = []
    with progress.track(f"evaluate on {split}", len(artifacts)) as bar:
        for item in artifacts:
            bar.step(item.name)
            stage = f"evaluate/{split}/{item.name}"
            inputs = {"artifact": item.sha256, **shared}
            record = places.evaluation(item.name, split)
            predictions = places.predictions(item.name, split)
            if not run.is_done(stage, inputs):
                evaluation_stage.evaluate(
                    item,
                    examples,
                    dataset=dataset.name,
                    predictions_path=predictions,
                    options=options,
                    baseline=done[0] if done else None,
                    original_outputs=original(),
                ).save(record, run.root)
                run.finish(stage, inputs, [record, predictions])
            done.append(evaluation.Evaluation.load(record, run.root))
    return done


def evaluate_corrupted(
    artifacts: Sequence[artifact.Artifact],
    dataset: dataset_lib.Dataset,
    split: str,
    shifts: Sequence[corruptions.Corruption],
    options: evaluation_stage.Options,
    run: run_directory.RunDirectory,
) -> list[evaluation.Evaluation]:
    """Evaluates models on a split under each corruption.

    Args:
        artifacts: The first is the baseline under the same corruption.
        dataset: The clean data.
        split: Name of the split.
        shifts: The corruptions.
        options: How.
        run: Gets records and predictions.

    Returns:
        By corruption, and in it by artifact.

    Raises:
        DataError: If a corruption does not fit the inputs.
    """
    # All of them first: bad input is refused before any work.
    shifted = [corruptions.corrupt(dataset[split], shift) for shift in shifts]
    extended = dataclasses.replace(
        dataset, splits={**dataset.splits, **{x.name: x for x in shifted}}
    )
    return [
        result
        for found in shifted
        for result in evaluate(artifacts, extended, found.name, options, run)
    ]


def _hash_of(path: pathlib.Path | None) -> str | None:
    if path is None:
        return None
    if not path.is_file():
        raise errors.InputError(
            "The original model's outputs must be an .npz file. "
            f"Received: {str(path)!r}, which is not there."
        )
    return files.sha256_of_file(path)


def _load_arrays(path: pathlib.Path | None) -> dict[str, np.ndarray] | None:
    return None if path is None else files.read_npz(path)


def measure(
    artifacts: Sequence[artifact.Artifact],
    runner: benchmark.Runner,
    options: benchmark.RuntimeOptions,
    run: run_directory.RunDirectory,
    folder: str = "",
) -> list[benchmark.BenchmarkResult]:
    """Benchmarks all artifacts; returns those that could be measured.

    Args:
        artifacts: With different names.
        runner: What measures.
        options: How.
        run: Gets records and samples.
        folder: Where, below those of a run's one set of options.
    """
    places = build.RunRecords(run)
    inputs = {
        item.name: {
            "artifact": item.sha256,
            "options": options.to_json(),
            "runner": runner.identity,
            "versions": run_directory.package_versions(),
        }
        for item in artifacts
    }
    stages = {x.name: f"benchmark/{folder}{x.name}" for x in artifacts}
    missing = [
        item
        for item in artifacts
        if not run.is_done(stages[item.name], inputs[item.name])
    ]
    for result in runner.run(missing, options, run.path("benchmarks", folder)):
        name = result.artifact.name
        failure_path = places.benchmark_failure(f"{folder}{name}")
        failure_path.unlink(missing_ok=True)
        if isinstance(result, benchmark.BenchmarkFailure):
            result.save(failure_path, run.root)
            continue
        path = places.benchmark(f"{folder}{name}")
        result.save(path, run.root)
        run.finish(stages[name], inputs[name], [path, *result.evidence])
    return [
        benchmark.BenchmarkResult.load(
            places.benchmark(f"{folder}{item.name}"), run.root
        )
        for item in artifacts
        if run.is_done(stages[item.name], inputs[item.name])
    ]


def profile(
    results: Sequence[benchmark.BenchmarkResult],
    run: run_directory.RunDirectory,
) -> None:
    """Times each operation of measured files, on this machine.

    Where the runtime offers no profile, the log says why.
    """
    folder = run.path("op_profiles")
    for result in results:
        name = f"{result.artifact.name}.threads_{result.options.num_threads}"
        stage, path = f"op_profile/{name}", folder / f"{name}.json"
        inputs = {
            "artifact": result.artifact.sha256,
            "options": result.options.to_json(),
            "versions": run_directory.package_versions(),
        }
        if run.is_done(stage, inputs):
            continue
        try:
            op_profiling.profile(result, folder).save(path, run.root)
        except errors.BenchmarkError as error:
            _LOG.warning("%s", error)
            continue
        run.finish(stage, inputs, [path])


def unmeasured(
    artifacts: Sequence[artifact.Artifact],
    run: run_directory.RunDirectory,
    folder: str = "",
) -> list[benchmark.BenchmarkFailure]:
    """Returns why artifacts could not be measured, as `measure` found."""
    places = build.RunRecords(run)
    found = [
        places.optional(
            benchmark.BenchmarkFailure,
            places.benchmark_failure(f"{folder}{item.name}"),
        )
        for item in artifacts
    ]
    return [failure for failure in found if failure]


def recommend(
    validation: Sequence[evaluation.Evaluation],
    results: Sequence[benchmark.BenchmarkResult],
    objective: report.Objective,
    max_accuracy_drop: float,
    run: run_directory.RunDirectory,
    *,
    allowed: Collection[str] | None = None,
) -> report.Recommendation:
    """Chooses a variant on the validation split and writes the choice down.

    Args:
        validation: Of all variants, `float32` first.
        results: Of those that could be measured.
        objective: What to make small.
        max_accuracy_drop: The limit, a fraction.
        run: Gets the record.
        allowed: Names of the variants to choose from; None for all.
    """
    by_name = {result.artifact.name: result for result in results}
    chosen = recommendation.recommend(
        [
            recommendation.Candidate(
                evaluation=item, result=by_name[item.artifact.name]
            )
            for item in validation
            if item.artifact.name in by_name
        ],
        objective=objective,
        max_accuracy_drop=max_accuracy_drop,
        allowed=allowed,
    )
    path = build.RunRecords(run).recommendation
    if (
        not path.exists()
        or report.Recommendation.load(path, run.root) != chosen
    ):
        chosen.save(path, run.root)
    _LOG.info("Chosen on the validation split: %s", chosen.name)
    return chosen
