# SPDX-License-Identifier: Apache-2.0
"""What a search finds, against the named presets.

A cell is a search with one seed, or all presets. Searches share what recipes
gave, so that seeds differ in their proposals alone. A front is chosen on the
validation split and tested once; its hypervolume is that of loss, latency over
float32's and size over float32's, up to the largest loss that is allowed and
to float32 itself. A search begins with presets; they are no finds of its, so
its volume is given with and without them.
"""

import dataclasses
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence

from tflite_opt import pipeline
from tflite_opt import recipe as recipe_lib
from tflite_opt.benchmark import desktop
from tflite_opt.data import dataset, sources
from tflite_opt.evaluation import evaluate
from tflite_opt.keras_models import source
from tflite_opt.records import (
    benchmark,
    measurement,
    report,
    run_directory,
    search,
)
from tflite_opt.records import training as training_record
from tflite_opt.report import build
from tflite_opt.search import limits as limits_lib
from tflite_opt.search import local_executor, space
from tflite_opt.search import search as search_lib
from tflite_opt.studies import study

TITLE = "Search against presets on Fashion-MNIST"
PRESETS = "presets"
_IS_PRESET = "is_preset"
_FIGURES = ("validation_loss", "test_loss", "latency_ratio", "size_ratio")
_SPLITS = ("validation", "test")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """What is searched.

    Attributes:
        model: Name of a reference model, trained once.
        model_options: Of its `build`.
        data: The data set.
        training: Of the float model.
        fine_tuning: Of each technique, of searches and presets.
        runtime: How latency is measured.
        limits: Of the searches; sizes are those after gzip.
        num_trials: Of each search.
        seeds: Of the searches.
        techniques: What recipes of the searches are made of.
        presets: To compare with; `float32` is always there.
        work_dir: Keeps a run directory for each cell.
    """

    model: str
    model_options: dict[str, float | bool]
    data: dataset.DataSpec
    training: training_record.TrainingOptions
    fine_tuning: training_record.TrainingOptions
    runtime: benchmark.RuntimeOptions
    limits: search.Limits
    num_trials: int
    seeds: Sequence[int]
    techniques: tuple[str, ...]
    presets: Sequence[str]
    work_dir: pathlib.Path


def cells(setup: Setup) -> dict[str, study.Cell]:
    """Returns a cell for the presets and one for each seed."""

    def cell(seed: int) -> study.Cell:
        return lambda: measure_search(seed, setup)

    return {PRESETS: lambda: measure_presets(setup)} | {
        f"search.{seed}": cell(seed) for seed in setup.seeds
    }


def measure_presets(setup: Setup) -> dict[str, float]:
    """Makes, judges and tests all presets."""
    run = _run(setup, PRESETS)
    pipeline.optimize(
        pipeline.Request(
            model=_float_model(setup),
            data=setup.data,
            recipes=recipe_lib.parse_names(setup.presets),
            training=setup.training,
            fine_tuning=setup.fine_tuning,
            evaluation=_evaluation(setup),
            runtime=setup.runtime,
        ),
        run,
    )
    return _points(build.build(run), presets=frozenset())


def measure_search(seed: int, setup: Setup) -> dict[str, float]:
    """Searches with one seed."""
    run = _run(setup, f"search{seed}")
    recipes = space.build(setup.techniques)
    presets = frozenset(x.name for x in recipes.presets(0))
    found = search_lib.search(
        search_lib.Request(
            model=_float_model(setup),
            data=setup.data,
            limits=setup.limits,
            training=setup.training,
            fine_tuning=setup.fine_tuning,
            evaluation=_evaluation(setup),
            runtime=setup.runtime,
            runner=desktop.DesktopRunner(),
            objective="balanced",
            techniques=setup.techniques,
            num_trials=setup.num_trials,
            seed=seed,
            measurements=setup.work_dir / "measured",
        ),
        run,
        local_executor.LocalExecutor(len(os.sched_getaffinity(0))),
    )
    outcomes = search_lib.outcomes(run)[1:]
    counts = {
        f"num_{status}": float(sum(x.status == status for x in outcomes))
        for status in ("measured", "stopped", "failed")
    }
    return {
        "num_trials": float(found.num_trials),
        **counts,
        "seconds": sum(x.seconds for x in outcomes),
        **_points(build.build(run), presets=presets),
    }


def _run(setup: Setup, name: str) -> run_directory.RunDirectory:
    folder = setup.work_dir / name
    return run_directory.RunDirectory.create(
        folder, command="measure_search", resume=folder.exists()
    )


def _float_model(setup: Setup) -> source.Choice:
    """Trains the model once, and returns the file."""
    run = _run(setup, "float")
    data_fingerprint = sources.load(setup.data).fingerprint()
    model = source.take_model(
        source.Choice(model=setup.model, model_options=setup.model_options),
        setup.data,
        data_fingerprint,
        setup.training,
        run,
    )
    return source.Choice(model=str(model.artifact.path))


def _evaluation(setup: Setup) -> evaluate.Options:
    return evaluate.Options(max_accuracy_drop=setup.limits.max_accuracy_drop)


def _points(
    content: report.Report, presets: frozenset[str]
) -> dict[str, float]:
    """Returns `NAME/FIGURE` of each variant but float32.

    Args:
        content: Of a run.
        presets: Names of variants that are no finds.
    """
    baseline, *others = content.rows
    found: dict[str, float] = {}
    for row in others:
        validation, test = row.validation_drop, row.drop
        if not (validation and test and row.times_faster):
            continue
        figures = (
            validation.value,
            test.value,
            1 / row.times_faster,
            row.gzip_bytes / baseline.gzip_bytes,
        )
        found |= {
            f"{row.name}/{figure}": value
            for figure, value in zip(_FIGURES, figures, strict=True)
        }
        if row.name in presets:
            found[f"{row.name}/{_IS_PRESET}"] = 1.0
    return found


def finds(values: Mapping[str, float]) -> dict[str, float]:
    """Returns a search's values without presets that it began with."""
    presets = {
        key.rpartition("/")[0] for key in values if key.endswith(_IS_PRESET)
    }
    return {
        key: value
        for key, value in values.items()
        if key.rpartition("/")[0] not in presets
    }


def front(
    values: Mapping[str, float], limits: search.Limits
) -> dict[str, dict[str, float]]:
    """Returns the points of a cell that nothing beats on validation data.

    Args:
        values: Of the cell.
        limits: Points that lose more do not count.

    Returns:
        By name, `validation_loss`, `test_loss`, `latency_ratio` and
        `size_ratio`.
    """
    points: dict[str, dict[str, float]] = {}
    for key, value in values.items():
        name, slash, figure = key.rpartition("/")
        if slash:
            points.setdefault(name, {})[figure] = value
    allowed = {
        name: _costs(point, "validation")
        for name, point in points.items()
        if point["validation_loss"] <= limits.max_accuracy_drop
    }
    return {name: points[name] for name in limits_lib.front(allowed)}


def hypervolume(
    values: Mapping[str, float], limits: search.Limits, split: str
) -> float:
    """Returns the volume of a cell's front on a split.

    The loss counts in units of the largest one allowed, so that float32 itself
    spans a volume of 0 and a free artifact without loss one of 1.
    """
    points = [_costs(x, split) for x in front(values, limits).values()]
    reference = (limits.max_accuracy_drop, 1.0, 1.0)
    volume = limits_lib.hypervolume(points, reference)
    return volume / limits.max_accuracy_drop


def _costs(point: Mapping[str, float], split: str) -> limits_lib.Costs:
    loss = point[f"{split}_loss"]
    return loss, point["latency_ratio"], point["size_ratio"]


def describe(
    found: Mapping[str, measurement.Measurement | None],
    limits: search.Limits,
) -> Iterator[str]:
    """Yields the table of volumes, then that of the fronts."""
    yield (
        "| cell | trials | stopped | failed | finds in the front | "
        "hypervolume of finds, validation | test | test, of the presets' | "
        "with presets of its own, test | of the presets' |"
    )
    yield f"|---|{'---:|' * 9}"
    record = found.get(PRESETS)
    usual = hypervolume(record.values, limits, "test") if record else 0.0
    for cell, record in found.items():
        if record is None:
            yield f"| {cell} | missing |"
            continue
        values = record.values
        own = finds(values)
        counts = [
            f"{values[name]:.0f}" if name in values else ""
            for name in ("num_trials", "num_stopped", "num_failed")
        ]
        validation, test = (hypervolume(own, limits, x) for x in _SPLITS)
        whole = hypervolume(values, limits, "test")
        yield (
            f"| {cell} | {' | '.join(counts)} | {len(front(own, limits))} | "
            f"{validation:.4f} | {test:.4f} | {_ratio(test, usual)} | "
            f"{whole:.4f} | {_ratio(whole, usual)} |"
        )
    yield ""
    yield from _fronts(found, limits)


def _ratio(volume: float, usual: float) -> str:
    return f"{volume / usual:.3f}" if usual else ""


def _fronts(
    found: Mapping[str, measurement.Measurement | None],
    limits: search.Limits,
) -> Iterator[str]:
    yield (
        "| cell | artifact | loss, validation | loss, test | latency / "
        "float32's | gzip / float32's |"
    )
    yield f"|---|---|{'---:|' * 4}"
    for cell, record in found.items():
        values = record.values if record else {}
        for name, point in front(values, limits).items():
            mark = " (preset)" if _IS_PRESET in point else ""
            yield (
                f"| {cell} | {name}{mark} | "
                f"{100 * point['validation_loss']:+.2f} | "
                f"{100 * point['test_loss']:+.2f} | "
                f"{point['latency_ratio']:.3f} | {point['size_ratio']:.3f} |"
            )
