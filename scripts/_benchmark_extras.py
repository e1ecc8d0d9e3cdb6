# SPDX-License-Identifier: Apache-2.0
"""What a benchmark shows beside its table, if it is asked for."""

import dataclasses
from collections.abc import Sequence

from absl import flags

from tflite_opt.benchmark import roofline
from tflite_opt.records import (
    benchmark,
    errors,
    op_profile,
    run_directory,
    serialization,
)
from tflite_opt.report import benchmark_text, drift_plot, op_profile_text

from . import _op_profile_flags, _runner_flags

_ROOFLINE = flags.DEFINE_bool(
    "roofline",
    False,
    "Whether to measure what this machine reaches on one fully-connected "
    "operation, and how far the model is from it.",
)


@dataclasses.dataclass
class Extras:
    """Records for a program, texts for people."""

    records: list[serialization.Record]
    texts: list[str]


def with_load(
    options: benchmark.RuntimeOptions, concurrency: int, soak_s: float
) -> benchmark.RuntimeOptions:
    """Returns options for several interpreters at once, or one long launch."""
    return dataclasses.replace(
        options,
        concurrency=concurrency,
        soak_s=soak_s,
        launches=1 if soak_s else options.launches,
    )


def find(
    results: Sequence[benchmark.BenchmarkResult],
    runner: benchmark.Runner,
    run: run_directory.RunDirectory,
    folder: str = "",
) -> Extras:
    """Finds what the flags ask for, and writes it beside the results.

    Args:
        results: What was measured.
        runner: What measured it.
        run: Gets records and charts.
        folder: Where the results are, below the run's benchmarks.
    """
    extras = Extras([], [])
    if any(result.drift for result in results):
        path = run.path("benchmarks", "drift.png")
        drift_plot.write_drift(results, path)
        extras.texts.append(f"Drift: {path}")
    if _ROOFLINE.value:
        _runner_flags.require_this_machine("roofline")
        _add_rooflines(results, run, extras)
    if _op_profile_flags.OP_PROFILE.value:
        _add_profiles(results, runner, run, folder, extras)
    return extras


def _add_rooflines(
    results: Sequence[benchmark.BenchmarkResult],
    run: run_directory.RunDirectory,
    extras: Extras,
) -> None:
    lines = []
    for threads in dict.fromkeys(x.options.num_threads for x in results):
        own = [x for x in results if x.options.num_threads == threads]
        for found in roofline.measure(own, run.path("roofline")):
            name = f"{found.artifact.name}.threads_{threads}.json"
            found.save(run.path("roofline", name), run.root)
            extras.records.append(found)
            lines.append(benchmark_text.describe_roofline(found))
    if lines:
        extras.texts.append("\n".join(lines))


def _add_profiles(
    results: Sequence[benchmark.BenchmarkResult],
    runner: benchmark.Runner,
    run: run_directory.RunDirectory,
    folder: str,
    extras: Extras,
) -> None:
    for result in results:
        threads = result.options.num_threads
        name = f"{folder}{result.artifact.name}.threads_{threads}"
        try:
            found = _runner_flags.profile(
                runner, result, run.path("op_profiles")
            )
        except errors.BenchmarkError as error:
            extras.texts.append(str(error))
            continue
        extras.texts.append(write_profile(found, name, run))
        extras.records.append(found)


def write_profile(
    found: op_profile.ProfiledModel,
    name: str,
    run: run_directory.RunDirectory,
) -> str:
    """Writes an op profile and its chart, and returns its text.

    Args:
        found: The profile.
        name: Of its files.
        run: Gets them.
    """
    found.save(run.path("op_profiles", f"{name}.json"), run.root)
    chart = run.path("op_profiles", f"{name}.png")
    op_profile_text.write_chart(found, chart)
    return f"{op_profile_text.describe(found)}\n\nChart: {chart}"
