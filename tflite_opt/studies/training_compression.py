# SPDX-License-Identifier: Apache-2.0
"""What techniques that train cost in accuracy, and what they save.

A cell is one recipe with one seed. The seed is that of the float model's
training and of every fine-tuning; cells of a seed share the float model and
what their recipes begin with. The test split is looked at once for each cell.
"""

import dataclasses
import math
import pathlib
import statistics
from collections.abc import Iterator, Mapping, Sequence

from tflite_opt import recipe as recipe_lib
from tflite_opt import stages
from tflite_opt.conversion import convert
from tflite_opt.data import dataset, sources
from tflite_opt.evaluation import evaluate
from tflite_opt.keras_models import source
from tflite_opt.records import (
    errors,
    evaluation,
    measurement,
    run_directory,
    variants,
)
from tflite_opt.records import training as training_record
from tflite_opt.report import compression_text
from tflite_opt.studies import study

TITLE = "Compression by training on Fashion-MNIST"
BASELINE = "float32"
DENSE = "int8"
RECIPES = (
    BASELINE,
    DENSE,
    "qat_int8",
    "prune50_int8",
    "prune80_int8",
    "prune2of4_int8",
    "cluster16_int8",
    "prune80_cluster16_int8",
    "prune80_qat_int8",
    "cluster16_qat_int8",
    "prune50_cluster16_qat_int8",
    "lottery80_int8",
    "distill_int8",
    "ternary_int8",
    "binary_int8",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """What is trained.

    Attributes:
        model: Name of a reference model.
        model_options: Of its `build`.
        data: The data set.
        training: Of the float model; the seed is replaced.
        fine_tuning: Of each technique; the seed is replaced.
        seeds: One float model each.
        recipes: The first one is the baseline of all losses.
        work_dir: Keeps a run directory for each seed.
        epochs: Of each technique of a recipe that needs others, by recipe.
    """

    model: str
    model_options: dict[str, float]
    data: dataset.DataSpec
    training: training_record.TrainingOptions
    fine_tuning: training_record.TrainingOptions
    seeds: Sequence[int]
    recipes: Sequence[str]
    work_dir: pathlib.Path
    epochs: Mapping[str, int] = dataclasses.field(default_factory=dict)


def cells(setup: Setup) -> dict[str, study.Cell]:
    """Returns a cell for each seed and recipe, a seed after the other."""

    def cell(name: str, seed: int) -> study.Cell:
        return lambda: measure(name, seed, setup)

    return {
        f"{name}.{seed}": cell(name, seed)
        for seed in setup.seeds
        for name in setup.recipes
    }


def measure(name: str, seed: int, setup: Setup) -> dict[str, float]:
    """Compresses, converts and tests one recipe.

    Raises:
        VerificationError: If a technique did not do its job.
        ConversionError: If there is no file.
    """
    epochs = setup.epochs.get(name, setup.fine_tuning.epochs)
    options = dataclasses.replace(setup.fine_tuning, epochs=epochs)
    tested = make_and_test(
        recipe_lib.parse_names([name]),
        seed,
        dataclasses.replace(setup, fine_tuning=options),
        open_run(seed, setup),
    )
    return values(*tested[-1])


def open_run(seed: int, setup: Setup) -> run_directory.RunDirectory:
    """Returns the run directory of a seed, with what is done already."""
    root = setup.work_dir / f"seed{seed}"
    return run_directory.RunDirectory.create(
        root, command="measure_compression", resume=root.exists()
    )


def make_and_test(
    recipes: Sequence[recipe_lib.Recipe],
    seed: int,
    setup: Setup,
    run: run_directory.RunDirectory,
) -> list[tuple[variants.Variant, evaluation.Evaluation]]:
    """Compresses, converts and tests recipes.

    Args:
        recipes: The baseline first.
        seed: Of the float model and of all fine-tuning.
        setup: Its `recipes` are not looked at.
        run: Keeps the results.

    Raises:
        VerificationError: If a technique did not do its job.
        ConversionError: If there is no file.
    """
    data = sources.load(setup.data)
    fingerprint = data.fingerprint()
    choice = source.Choice(model=setup.model, model_options=setup.model_options)
    options = dataclasses.replace(setup.training, seed=seed)
    model = source.take_model(choice, setup.data, fingerprint, options, run)
    found, failures = stages.make_variants(
        convert.Request(
            model=model,
            data=setup.data,
            data_fingerprint=fingerprint,
            recipes=recipes,
        ),
        dataclasses.replace(setup.fine_tuning, seed=seed),
        run,
    )
    if failures:
        raise errors.VerificationError(str(failures[0]))
    tested = stages.evaluate(
        [variant.artifact for variant in found],
        data,
        "test",
        evaluate.Options(),
        run,
    )
    return list(zip(found, tested, strict=True))


def values(
    variant: variants.Variant, tested: evaluation.Evaluation
) -> dict[str, float]:
    """Returns the figures of a recipe."""
    steps = variant.compressed.steps if variant.compressed else ()
    histories = [history for step in steps for history in step.histories]
    found = {
        "test_accuracy": tested.metric.value,
        "loss_points": 100 * tested.drop.value if tested.drop else 0.0,
        "num_test": tested.num_examples,
        "size_bytes": variant.artifact.size_bytes,
        "gzip_bytes": variant.facts.gzip_bytes,
        "epochs": sum(history.epochs for history in histories),
        "seconds": sum(step.seconds for step in steps),
    }
    zeros = compression_text.zero_fraction(variant.kept)
    if zeros is not None:
        found["zero_fraction"] = zeros
    clustered = [
        kept
        for kept in variant.kept
        if kept.promise.max_unique_values is not None
    ]
    if clustered:
        found["most_values_per_channel"] = max(
            kept.channel_unique_values for kept in clustered
        )
        found["few_valued_weights"] = sum(
            kept.num_elements for kept in clustered
        )
        found["information_bytes"] = sum(
            kept.information_bytes for kept in clustered
        )
    if variant.facts.sparse_encoded_bytes is not None:
        found["sparse_bytes"] = variant.facts.sparse_encoded_bytes
    if variant.keras_agreement is not None:
        found["keras_agreement"] = variant.keras_agreement
    return found


def summarize(
    found: Mapping[str, measurement.Measurement | None],
) -> dict[str, dict[str, tuple[float, float]]]:
    """Returns mean and sample standard deviation over seeds.

    Args:
        found: Cells by name; a missing one is left out.

    Returns:
        By recipe and figure. `gzip_over_int8` compares files of one seed.
    """
    by_recipe: dict[str, list[dict[str, float]]] = {}
    for cell, record in found.items():
        name, _, seed = cell.rpartition(".")
        if record is None:
            continue
        values = dict(record.values)
        dense = found.get(f"{DENSE}.{seed}")
        if dense is not None:
            values["gzip_over_int8"] = (
                values["gzip_bytes"] / dense.values["gzip_bytes"]
            )
        by_recipe.setdefault(name, []).append(values)
    return {
        name: {
            figure: mean_and_spread([x[figure] for x in seeds if figure in x])
            for figure in {figure for x in seeds for figure in x}
        }
        for name, seeds in by_recipe.items()
    }


def describe(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    """Yields the table: mean ± standard deviation over seeds."""
    summary = summarize(found)
    headers = (
        "recipe",
        "seeds",
        "test accuracy",
        "loss, points",
        "bytes",
        "gzip",
        "gzip / int8's",
        "zeros",
        "values per channel",
        "weights with so few",
        "their information, bytes",
        "agrees with Keras",
        "epochs",
        "seconds",
    )
    yield f"| {' | '.join(headers)} |"
    yield f"|---|{'---:|' * (len(headers) - 1)}"
    for name in dict.fromkeys(cell.rpartition(".")[0] for cell in found):
        seeds = [
            record
            for cell, record in found.items()
            if cell.rpartition(".")[0] == name
        ]
        done = sum(record is not None for record in seeds)
        figures = summary.get(name, {})
        cells = [
            name,
            f"{done} of {len(seeds)}" if done else "missing",
            show(figures, "test_accuracy", "{:.2%}"),
            show(figures, "loss_points", "{:+.2f}"),
            show(figures, "size_bytes", "{:,.0f}", spread=False),
            show(figures, "gzip_bytes", "{:,.0f}"),
            show(figures, "gzip_over_int8", "{:.1%}"),
            show(figures, "zero_fraction", "{:.1%}"),
            show(figures, "most_values_per_channel", "{:.0f}", spread=False),
            show(figures, "few_valued_weights", "{:,.0f}", spread=False),
            show(figures, "information_bytes", "{:,.0f}", spread=False),
            show(figures, "keras_agreement", "{:.2%}"),
            show(figures, "epochs", "{:.0f}", spread=False),
            show(figures, "seconds", "{:.0f}", spread=False),
        ]
        yield f"| {' | '.join(cells)} |"


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Returns mean and sample standard deviation; NaN for one value."""
    spread = statistics.stdev(values) if len(values) > 1 else math.nan
    return statistics.fmean(values), spread


def show(
    figures: Mapping[str, tuple[float, float]],
    name: str,
    form: str,
    *,
    spread: bool = True,
) -> str:
    """Returns the text of a figure; "" if it is not there.

    Args:
        figures: Mean and standard deviation by name.
        name: Of the figure.
        form: For `str.format`.
        spread: Whether to show the standard deviation.
    """
    if name not in figures:
        return ""
    mean, deviation = figures[name]
    text = form.format(mean)
    if spread and not math.isnan(deviation):
        text += f" ± {form.replace('+', '').format(deviation)}"
    return text
