# SPDX-License-Identifier: Apache-2.0
"""Makes an ordinary run of what a search found.

Its report, comparisons and gates then work on it as on any other run.
"""

import dataclasses
import shutil
from collections.abc import Sequence

from tflite_opt import recipe as recipe_lib
from tflite_opt import stages
from tflite_opt.conversion import job as conversion_job
from tflite_opt.data import dataset
from tflite_opt.evaluation import evaluate
from tflite_opt.records import (
    artifact,
    benchmark,
    evaluation,
    files,
    model_spec,
    report,
    search,
    variants,
)
from tflite_opt.report import build
from tflite_opt.search import limits as limits_lib
from tflite_opt.search import making, measuring, proposing


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What to deliver, and how it is judged.

    Attributes:
        result: What the search ended with.
        model: What it started from.
        data: The data set.
        evaluation: How accuracy is judged.
        limits: What an artifact must keep.
        objective: What the recommended artifact makes small.
        meter: What measured, and where.
    """

    result: search.SearchResult
    model: model_spec.ModelSpec
    data: dataset.Dataset
    evaluation: evaluate.Options
    limits: search.Limits
    objective: report.Objective
    meter: measuring.Meter


def deliver(
    request: Request, trials: Sequence[proposing.Trial]
) -> search.SearchResult:
    """Copies the front into the run, measures it anew and tests it once.

    Without a front, what came nearest to the limits is delivered, and nothing
    recommended.

    Returns:
        The result with the choice that the new measurements make.
    """
    result, run = request.result, request.meter.run
    names = [x for x in result.front if x != making.BASELINE]
    if result.nearest not in (None, making.BASELINE):
        names.append(str(result.nearest))
    recipes = _recipes(names, trials)
    for found in recipes:
        path = run.path("recipes", f"{found.name}.yaml")
        files.write_text(path, recipe_lib.to_yaml(found))
    delivered = [_copy(request, found.name) for found in recipes]
    artifacts = [x.artifact for x in delivered]
    _describe(request, recipes)
    validation = _evaluate(request, artifacts, "validation")
    results = stages.measure(
        artifacts, request.meter.runner, request.meter.options, run
    )
    allowed = _within(request, validation, results)
    if allowed:
        chosen = stages.recommend(
            validation,
            results,
            request.objective,
            request.limits.max_accuracy_drop,
            run,
            allowed=allowed,
        )
        result = dataclasses.replace(result, chosen=chosen.name)
    else:
        build.RunRecords(run).recommendation.unlink(missing_ok=True)
        result = dataclasses.replace(result, chosen=None)
    _evaluate(request, artifacts, "test")
    result.save(request.meter.store.result)
    return result


def _copy(request: Request, name: str) -> variants.Variant:
    """Copies a variant to where those of a run are."""
    run, store = request.meter.run, request.meter.store
    layout = conversion_job.Layout(root=run.root)
    if name == making.BASELINE:
        base = conversion_job.Layout(root=store.base)
        variant = variants.Variant.load(base.variant(name), base.root)
        sources = base.delivered(name)
    else:
        variant = measuring.variant(store, name)
        sources = [
            path
            for path in (store.made / name).iterdir()
            if path.name != making.VARIANT
        ]
    place = layout.artifact(name)
    place.parent.mkdir(parents=True, exist_ok=True)
    for path in sources:
        shutil.copyfile(path, place.parent / path.name)
    copied = dataclasses.replace(
        variant, artifact=dataclasses.replace(variant.artifact, path=place)
    )
    copied.save(layout.variant(name), run.root)
    return copied


def _recipes(
    names: Sequence[str], trials: Sequence[proposing.Trial]
) -> list[recipe_lib.Recipe]:
    """Returns float32's recipe, then those of the names."""
    by_name = {proposal.name: proposal.recipe for proposal, _ in trials}
    return [
        *recipe_lib.parse_names([making.BASELINE]),
        *(recipe_lib.Recipe.from_json(by_name[name]) for name in names),
    ]


def _describe(request: Request, recipes: Sequence[recipe_lib.Recipe]) -> None:
    run = request.meter.run
    stages.describe(
        request.model.artifact,
        request.data,
        recipes,
        request.limits.max_accuracy_drop,
        request.objective,
        run,
    )
    variants.Conversion(
        names=tuple(recipe.name for recipe in recipes), failures=()
    ).save(build.RunRecords(run).conversion, run.root)


def _evaluate(
    request: Request, artifacts: Sequence[artifact.Artifact], split: str
) -> list[evaluation.Evaluation]:
    base = conversion_job.Layout(root=request.meter.store.base)
    return stages.evaluate(
        artifacts,
        request.data,
        split,
        request.evaluation,
        request.meter.run,
        base.original_outputs(split),
    )


def _within(
    request: Request,
    validation: Sequence[evaluation.Evaluation],
    results: Sequence[benchmark.BenchmarkResult],
) -> frozenset[str]:
    """Returns what meets the limits as it was measured now."""
    drops = {x.artifact.name: x.drop for x in validation}
    found = set()
    for result in results:
        item, drop = result.artifact, drops[result.artifact.name]
        size = item.gzip_bytes if request.limits.counts_gzip else None
        if not limits_lib.excess(
            request.limits,
            drop=drop.value if drop else 0.0,
            latency_ms=result.median_ms,
            size=size or item.size_bytes,
        ):
            found.add(item.name)
    return frozenset(found)
