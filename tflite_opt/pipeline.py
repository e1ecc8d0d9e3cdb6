# SPDX-License-Identifier: Apache-2.0
"""The whole story: a model goes in, verified and measured variants come out."""

import dataclasses
import pathlib
from collections.abc import Sequence

from tflite_opt import recipe, stages
from tflite_opt.benchmark import desktop
from tflite_opt.conversion import convert, job, preflight
from tflite_opt.data import dataset, sources
from tflite_opt.evaluation import evaluate
from tflite_opt.keras_models import source
from tflite_opt.ladder import climb
from tflite_opt.ladder import request as ladder_request
from tflite_opt.records import (
    benchmark,
    evaluation,
    model_spec,
    report,
    run_directory,
)
from tflite_opt.records import training as training_record
from tflite_opt.report import write


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What to optimize, and how to judge it.

    Attributes:
        model: What the user names.
        data: The data set.
        recipes: `float32` first.
        training: How a reference model is trained.
        evaluation: How accuracy is judged.
        runtime: How latency is measured.
        fine_tuning: How techniques train, where they do not say otherwise.
        training_processes: Recipes that train at a time.
        objective: What the recommendation makes small.
        conversion_timeout_s: Longest time for one conversion.
        runner: What measures; this machine by default.
        ladders: Automatic recipes.
        op_profile: Whether to time each operation, on this machine.
        prices: What the user pays, for the report.
    """

    model: source.Choice
    data: dataset.DataSpec
    recipes: Sequence[recipe.Recipe]
    training: training_record.TrainingOptions
    evaluation: evaluate.Options
    runtime: benchmark.RuntimeOptions
    fine_tuning: training_record.TrainingOptions = training_record.FINE_TUNING
    training_processes: int = 1
    objective: report.Objective = "balanced"
    conversion_timeout_s: float = 600.0
    runner: benchmark.Runner = dataclasses.field(
        default_factory=desktop.DesktopRunner
    )
    ladders: ladder_request.Ladders = ladder_request.Ladders()
    op_profile: bool = False
    prices: report.Prices = dataclasses.field(default_factory=report.Prices)


def optimize(
    request: Request, run: run_directory.RunDirectory
) -> tuple[report.Report, list[pathlib.Path]]:
    """Examines and trains or takes a model, converts it and chooses a variant.

    Returns:
        The report and the files it was written to.
    """
    data = sources.load(request.data)
    fingerprint = data.fingerprint()

    def take_model() -> model_spec.ModelSpec:
        return source.take_model(
            request.model, request.data, fingerprint, request.training, run
        )

    given = None if request.model.must_be_trained else take_model()
    stages.preflight(
        preflight.Request(
            choice=request.model,
            model=given,
            data=request.data,
            uses_data=True,
            timeout_s=request.conversion_timeout_s,
        ),
        run,
    )
    model = given or take_model()
    limit = request.evaluation.max_accuracy_drop
    stages.describe(
        model.artifact, data, request.recipes, limit, request.objective, run
    )
    conversion = convert.Request(
        model=model,
        data=request.data,
        data_fingerprint=fingerprint,
        recipes=request.recipes,
        timeout_s=request.conversion_timeout_s,
    )
    converted, _ = stages.make_variants(
        conversion, request.fine_tuning, run, request.training_processes
    )
    converted += climb.make_variants(
        request.ladders,
        ladder_request.Request(
            conversion=conversion,
            dataset=data,
            evaluation=request.evaluation,
            fine_tuning=request.fine_tuning,
            runner=request.runner,
            runtime=request.runtime,
        ),
        run,
    )
    artifacts = [variant.artifact for variant in converted]
    layout = job.Layout(root=run.root)

    def evaluate_on(split: str) -> list[evaluation.Evaluation]:
        reference = layout.original_outputs(split)
        options = request.evaluation
        return stages.evaluate(artifacts, data, split, options, run, reference)

    validation = evaluate_on("validation")
    results = stages.measure(artifacts, request.runner, request.runtime, run)
    if request.op_profile:
        stages.profile(results, run)
    stages.recommend(validation, results, request.objective, limit, run)
    evaluate_on("test")
    return write.write_report(run, request.prices)
