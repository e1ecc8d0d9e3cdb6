# SPDX-License-Identifier: Apache-2.0
"""What channel pruning costs in accuracy, and what it saves.

A cell is one recipe on one reference model with one seed, which is that of the
float model's training and of every fine-tuning. The float control is trained
on as long as the pruned models are. The test split is looked at once for each
cell. Further cells narrow MobileNetV2 at 224x224 with random weights, for its
latency alone.
"""

import dataclasses
import pathlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence

from tflite_opt import recipe as recipe_lib
from tflite_opt.benchmark import desktop
from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import benchmark, errors, measurement, training
from tflite_opt.studies import narrowed_model, study, training_compression
from tflite_opt.techniques import (
    channel_pruning,
    distillation,
    fine_tuning,
    float32,
    full_integer,
    slimming,
)

TITLE = "Channel pruning on Fashion-MNIST"
_EPOCHS = (
    "Epochs are those of a recipe's steps, after the float model's. Only "
    "`scratch_int8` forgets what it was taught: its first step gives the "
    "widths, its second trains them from nothing, as long as the float model "
    "and the control together."
)
CONTROL = "float_control"
HEADLINE = "channels_int8"
RECIPES = (CONTROL, "int8", HEADLINE, "random_int8", "scratch_int8")
LARGE = "mobilenet_v2_224"
LARGE_BUDGETS = ("macs", "latency")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """A reference model and how it is narrowed.

    Attributes:
        setup: The model, its data and how it is trained.
        pruning: What is done to it.
    """

    setup: training_compression.Setup
    pruning: channel_pruning.ChannelPruning


def recipes(case: Case) -> dict[str, recipe_lib.Recipe]:
    """Returns what is compared, by name."""
    pruned = case.pruning
    epochs = pruned.epochs or case.setup.fine_tuning.epochs
    epochs += pruned.round_epochs * (pruned.rounds - 1)
    # What it was pruned from was trained, too.
    again = distillation.Distillation(
        epochs=epochs + case.setup.training.epochs,
        learning_rate=case.setup.training.learning_rate,
        distillation=training.Distillation(weight=0.0),
    )
    control = fine_tuning.FineTuning(epochs=epochs)
    chance = dataclasses.replace(pruned, criterion="random")
    compress = {
        CONTROL: (control,),
        "int8": (),
        HEADLINE: (pruned,),
        "random_int8": (chance,),
        "scratch_int8": (pruned, again),
    }
    return {
        name: recipe_lib.Recipe(
            name=name,
            compress=compress[name],
            convert=(
                float32.Float32()
                if name == CONTROL
                else full_integer.FullInteger()
            ),
            refine=(slimming.Slimming(),),
        )
        for name in RECIPES
    }


def cells(
    cases: Mapping[str, Case], launches: int, work_dir: pathlib.Path
) -> dict[str, study.Cell]:
    """Returns a cell for each model, seed and recipe, and the large ones.

    Args:
        cases: By name.
        launches: Of each latency.
        work_dir: Keeps the large models.
    """

    def cell(case: Case, name: str, seed: int) -> study.Cell:
        return lambda: measure(case, name, seed, launches)

    def large(kind: str) -> study.Cell:
        return lambda: measure_large(kind, launches, work_dir)

    found = {
        f"{model}.{name}.{seed}": cell(case, name, seed)
        for model, case in cases.items()
        for seed in case.setup.seeds
        for name in RECIPES
    }
    return found | {f"{LARGE}.{kind}": large(kind) for kind in LARGE_BUDGETS}


def measure(
    case: Case, name: str, seed: int, launches: int
) -> dict[str, float]:
    """Compresses, converts, tests and times one recipe.

    Raises:
        VerificationError: If a technique did not do its job.
        ConversionError: If there is no file.
        BenchmarkError: If a file cannot be timed.
    """
    run = training_compression.open_run(seed, case.setup)
    baseline = recipe_lib.parse_names(["float32"])[0]
    (whole, _), made = training_compression.make_and_test(
        (baseline, recipes(case)[name]), seed, case.setup, run
    )
    variant = made[0]
    float_ms, own_ms = median_ms(
        [whole.artifact, variant.artifact], launches, run.path("benchmarks")
    )
    values = training_compression.values(*made)
    values |= {
        "times_smaller": whole.artifact.size_bytes / values["size_bytes"],
        "float_ms": float_ms,
        "median_ms": own_ms,
        "times_faster": float_ms / own_ms,
        "macs": variant.facts.known_macs,
        "parameters": variant.facts.parameters,
    }
    return values


def measure_large(
    kind: str, launches: int, work_dir: pathlib.Path
) -> dict[str, float]:
    """Halves a budget of MobileNetV2 at 224x224 and times both int8 files."""
    folder = work_dir / f"{LARGE}.{kind}"
    request = narrowed_model.Request(kind=kind, fraction=0.5, folder=folder)
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name) / "request.json"
        request.save(path)
        study.run_command(
            [sys.executable, "-m", narrowed_model.__name__, str(path)]
        )
    files = [
        artifact_record.describe(x, format="tflite")
        for x in (request.whole, request.narrow)
    ]
    whole_ms, narrow_ms = median_ms(files, launches, folder)
    return {
        "whole_bytes": files[0].size_bytes,
        "narrow_bytes": files[1].size_bytes,
        "whole_ms": whole_ms,
        "narrow_ms": narrow_ms,
        "latency_fraction": narrow_ms / whole_ms,
    }


def median_ms(
    files: Sequence[artifact_record.Artifact],
    launches: int,
    folder: pathlib.Path,
) -> list[float]:
    """Returns the latencies of files with one thread, launched in turns.

    Raises:
        BenchmarkError: If one cannot be run.
    """
    options = benchmark.RuntimeOptions(launches=launches, check=False)
    medians = []
    for found in desktop.DesktopRunner().run(files, options, folder):
        if isinstance(found, benchmark.BenchmarkFailure):
            raise errors.BenchmarkError(found.message)
        medians.append(found.median_ms)
    return medians


def describe(
    found: Mapping[str, measurement.Measurement | None],
) -> Iterator[str]:
    """Yields the tables: mean ± standard deviation over seeds."""
    trained = {k: x for k, x in found.items() if k.count(".") == 2}
    headers = (
        *("model", "recipe", "seeds", "test accuracy"),
        *("points below the control", "bytes", "x smaller than float"),
        *("ms", "x faster than float", "MACs", "parameters", "epochs"),
    )
    yield f"| {' | '.join(headers)} |"
    yield f"|---|---|{'---:|' * (len(headers) - 2)}"
    for group in dict.fromkeys(k.rpartition(".")[0] for k in trained):
        yield _line(group, trained)
    yield ""
    yield _EPOCHS
    yield ""
    yield "| half of | bytes | ms | of the whole model's latency |"
    yield "|---|---:|---:|---:|"
    for kind in LARGE_BUDGETS:
        record = found.get(f"{LARGE}.{kind}")
        if record is None:
            yield f"| {kind} | missing | | |"
            continue
        x = record.values
        yield (
            f"| {kind} | {x['narrow_bytes']:,.0f} | {x['narrow_ms']:.4g} | "
            f"{x['latency_fraction']:.1%} |"
        )


def _line(
    group: str, found: Mapping[str, measurement.Measurement | None]
) -> str:
    model, _, name = group.partition(".")
    done = []
    for cell, record in found.items():
        if record is None or cell.rpartition(".")[0] != group:
            continue
        values = dict(record.values)
        seed = cell.rpartition(".")[2]
        control = found.get(f"{model}.{CONTROL}.{seed}")
        if control is not None:
            values["below_control"] = 100 * (
                control.values["test_accuracy"] - values["test_accuracy"]
            )
        done.append(values)
    figures = {
        figure: training_compression.mean_and_spread(
            [x[figure] for x in done if figure in x]
        )
        for figure in {figure for x in done for figure in x}
    }
    shown = [
        training_compression.show(figures, figure, form)
        for figure, form in (
            ("test_accuracy", "{:.2%}"),
            ("below_control", "{:+.2f}"),
            ("size_bytes", "{:,.0f}"),
            ("times_smaller", "{:.1f}"),
            ("median_ms", "{:.4f}"),
            ("times_faster", "{:.2f}"),
            ("macs", "{:,.0f}"),
            ("parameters", "{:,.0f}"),
            ("epochs", "{:.0f}"),
        )
    ]
    seeds = sum(cell.rpartition(".")[0] == group for cell in found)
    count = f"{len(done)} of {seeds}" if done else "missing"
    return f"| {model} | {name} | {count} | {' | '.join(shown)} |"
