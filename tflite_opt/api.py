# SPDX-License-Identifier: Apache-2.0
"""The functions of `import tflite_opt`: the stages, for Python programs.

Each takes a folder, does in it what is missing and returns records, so the
same call again costs nothing. What is rarely needed is in the modules below.
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

from tflite_opt import pipeline, stages
from tflite_opt import recipe as recipe_lib
from tflite_opt.benchmark import desktop
from tflite_opt.comparison import compare as comparison_stage
from tflite_opt.comparison import session
from tflite_opt.conversion import convert as conversion_stage
from tflite_opt.conversion import job
from tflite_opt.data import dataset, doctor, sources
from tflite_opt.evaluation import evaluate as evaluation_stage
from tflite_opt.keras_models import source
from tflite_opt.ladder import request as ladder_request
from tflite_opt.records import (
    artifact,
    benchmark,
    comparison,
    data_check,
    errors,
    evaluation,
    facts,
    ladder,
    report,
    run_directory,
    training,
    variants,
)
from tflite_opt.tflite import facts as facts_reader

DataSpec = dataset.DataSpec
Recipe = recipe_lib.Recipe
TfliteOptError = errors.TfliteOptError

# A `.tflite`: what `convert` returned, or its path.
Model = variants.Variant | artifact.Artifact | str | pathlib.Path
Data = DataSpec | str
_Recipes = Sequence[Recipe | str]


def optimize(
    model: str | pathlib.Path | None = None,
    data: Data = "digits",
    recipes: _Recipes = recipe_lib.DEFAULT_NAMES,
    *,
    output_dir: str | pathlib.Path,
    max_accuracy_drop: float = 0.005,
    objective: report.Objective = "balanced",
    finetune_epochs: int = training.FINE_TUNING.epochs,
    training_processes: int = 1,
    quick: bool = False,
) -> report.Report:
    """Makes variants of a model, measures them, chooses one and reports.

    Args:
        model: A path, `package.module:function`, the name of a reference
            model, which is trained first, or None for the trained sample.
        data: What `--dataset` takes, as `npz:my.npz`, or a `DataSpec`.
        recipes: Names, paths of `.yaml` files, or recipes; `float32` is added.
            `auto_int8` corrects int8 until it loses no more than
            `max_accuracy_drop`.
        output_dir: New, empty, or an earlier run's, which is continued.
        max_accuracy_drop: Largest acceptable loss against float32, a fraction.
        objective: What the chosen variant makes small.
        finetune_epochs: Of techniques that train.
        training_processes: Recipes that train at a time, each on its share of
            the CPUs: small networks hardly train faster on all of them.
        quick: Whether latency is measured within seconds, less exactly.

    Returns:
        What `output_dir/report` holds for people.

    Raises:
        TfliteOptError: If something is wrong with what was given.
    """
    request = pipeline.Request(
        model=_choice(model),
        data=_spec(data),
        recipes=_parse(recipe_lib.besides(recipes, ladder_request.NAMES)),
        ladders=ladder_request.Ladders(
            names=tuple(x for x in ladder_request.NAMES if x in recipes),
            target=ladder.Target(limit=max_accuracy_drop),
        ),
        training=training.TrainingOptions(),
        evaluation=evaluation_stage.Options(
            max_accuracy_drop=max_accuracy_drop
        ),
        runtime=_runtime(quick),
        fine_tuning=_fine_tuning(finetune_epochs),
        training_processes=_processes(training_processes),
        objective=objective,
    )
    content, _ = pipeline.optimize(request, _run(output_dir, "optimize"))
    return content


def convert(
    model: str | pathlib.Path | None = None,
    data: Data = "digits",
    recipes: _Recipes = recipe_lib.DEFAULT_NAMES,
    *,
    output_dir: str | pathlib.Path,
    finetune_epochs: int = training.FINE_TUNING.epochs,
    training_processes: int = 1,
) -> list[variants.Variant]:
    """Makes verified variants of a model, training where a recipe says so.

    The arguments are those of `optimize`.

    Returns:
        One for each recipe, `float32` first.

    Raises:
        ConversionError: If a recipe gave none.
        TfliteOptError: If something is wrong with what was given.
    """
    spec = _spec(data)
    chosen = _parse(recipes)
    processes = _processes(training_processes)
    fingerprint = sources.load(spec).fingerprint()
    run = _run(output_dir, "convert")
    found, failures = stages.make_variants(
        conversion_stage.Request(
            model=source.take_model(
                _choice(model),
                spec,
                fingerprint,
                training.TrainingOptions(),
                run,
            ),
            data=spec,
            data_fingerprint=fingerprint,
            recipes=chosen,
        ),
        _fine_tuning(finetune_epochs),
        run,
        processes,
    )
    if failures:
        raise errors.ConversionError("; ".join(map(str, failures)))
    return found


def evaluate(
    models: Sequence[Model],
    data: Data = "digits",
    *,
    output_dir: str | pathlib.Path,
    split: str = "test",
    metric: str = "auto",
    max_accuracy_drop: float = 0.005,
) -> list[evaluation.Evaluation]:
    """Evaluates models on the same examples.

    Args:
        models: The first is the baseline of the paired differences.
        data: As for `optimize`.
        output_dir: Gets records and predictions; that of `convert` holds the
            original model's outputs, which adds the agreement with it.
        split: `validation` for choices, `test` for the last word.
        metric: What is judged.
        max_accuracy_drop: As for `optimize`.

    Returns:
        One for each model: `metric`, `drop` with its verdict, `agreement`.
    """
    options = evaluation_stage.Options(
        metric=metric, max_accuracy_drop=max_accuracy_drop
    )
    artifacts = [_artifact(model) for model in models]
    loaded = sources.load(_spec(data))
    run = _run(output_dir, "evaluate")
    original = job.Layout(root=run.root).original_outputs(split)
    return stages.evaluate(
        artifacts,
        loaded,
        split,
        options,
        run,
        original if original.is_file() else None,
    )


def measure(
    models: Sequence[Model],
    *,
    output_dir: str | pathlib.Path,
    quick: bool = False,
    **options: Any,
) -> list[benchmark.BenchmarkResult]:
    """Measures latency and memory on this machine, launches in turns.

    Args:
        models: With different names.
        output_dir: Gets records and samples.
        quick: Whether to be done within seconds, less exactly.
        **options: Fields of `RuntimeOptions`, such as `num_threads`.

    Returns:
        One for each model: `latency.median_ms` with its interval, and more.

    Raises:
        BenchmarkError: If one could not be measured.
    """
    artifacts = [_artifact(model) for model in models]
    run = _run(output_dir, "measure")
    found = stages.measure(
        artifacts, desktop.DesktopRunner(), _runtime(quick, **options), run
    )
    failures = stages.unmeasured(artifacts, run)
    if failures:
        names = ", ".join(x.artifact.name for x in failures)
        raise errors.BenchmarkError(
            f"Could not measure {names}: {failures[0].message}"
        )
    return found


def compare(
    baseline: Model,
    candidate: Model,
    *,
    output_dir: str | pathlib.Path,
    margin: float = comparison_stage.Options().margin,
    quick: bool = False,
    **options: Any,
) -> comparison.Comparison:
    """Says whether a file is faster or slower than another one.

    Args:
        baseline: One.
        candidate: The other.
        output_dir: Gets records and samples.
        margin: Differences of latency up to this fraction do not matter.
        quick: Whether to be done within seconds, less exactly.
        **options: Fields of `RuntimeOptions`; an interval needs `launches` of
            at least 4.

    Returns:
        `latency`: the ratio with its interval and verdict; sizes and more.
    """
    pair, _ = session.measure_files(
        _artifact(baseline),
        _artifact(candidate),
        desktop.DesktopRunner(),
        _runtime(quick, **options),
        _run(output_dir, "compare"),
        twice=False,
    )
    judged_by = comparison_stage.Options(margin=margin)
    (found,) = comparison_stage.compare([pair], judged_by)
    return found


def inspect(path: str | pathlib.Path) -> facts.ModelFacts:
    """Returns what a `.tflite` holds: operations, MACs, zeros, partitions."""
    return facts_reader.read_facts(pathlib.Path(path))


def check_data(data: Data = "digits") -> data_check.DataCheck:
    """Looks at the representative data of a quantization.

    Returns:
        `warnings` is empty when there is nothing to say.

    Raises:
        DataError: If the samples cannot be right.
    """
    loaded = sources.load(_spec(data))
    found = doctor.examine(loaded["calibration"], loaded["train"])
    doctor.require_usable(found)
    return found


def _choice(model: str | pathlib.Path | None) -> source.Choice:
    return source.Choice(model=None if model is None else str(model))


def _spec(data: Data) -> DataSpec:
    return DataSpec(source=data) if isinstance(data, str) else data


def _parse(recipes: _Recipes) -> tuple[Recipe, ...]:
    """Returns recipes as `recipe.parse_names` does, with those made here."""
    named = [x if isinstance(x, str) else x.name for x in recipes]
    own = {x.name: x for x in recipes if not isinstance(x, str)}
    return recipe_lib.parse_names(named, own=own)


def _runtime(quick: bool, **options: Any) -> benchmark.RuntimeOptions:
    chosen = {**(benchmark.QUICK if quick else {}), **options}
    return benchmark.RuntimeOptions(**chosen)


def _fine_tuning(epochs: int) -> training.TrainingOptions:
    return dataclasses.replace(training.FINE_TUNING, epochs=epochs)


def _processes(wanted: int) -> int:
    if wanted < 1:
        raise errors.InputError(
            "`training_processes` must be at least 1. "
            f"Received: training_processes={wanted}"
        )
    return wanted


def _run(
    output_dir: str | pathlib.Path, name: str
) -> run_directory.RunDirectory:
    return run_directory.RunDirectory.create(
        pathlib.Path(output_dir), command=f"tflite_opt.{name}", resume=True
    )


def _artifact(model: Model) -> artifact.Artifact:
    if isinstance(model, variants.Variant):
        return model.artifact
    if isinstance(model, artifact.Artifact):
        return model
    return artifact.describe(pathlib.Path(model), format="tflite")
