# SPDX-License-Identifier: Apache-2.0
"""Measures in one go what shall be compared."""

import dataclasses
from collections.abc import Callable, Mapping

from tflite_opt import stages
from tflite_opt.comparison import budget, compare, judge, stored
from tflite_opt.records import artifact, benchmark, run_directory


def measure_files(
    baseline: artifact.Artifact,
    candidate: artifact.Artifact,
    runner: benchmark.Runner,
    options: benchmark.RuntimeOptions,
    run: run_directory.RunDirectory,
    *,
    twice: bool,
) -> tuple[compare.Pair, benchmark.BenchmarkResult | None]:
    """Measures two files in turns.

    Args:
        baseline: One.
        candidate: The other, with another name.
        runner: What measures.
        options: How.
        run: Gets the records.
        twice: Whether to measure the baseline a second time, for the noise
            floor.

    Returns:
        The pair, and the second measurement.
    """
    artifacts = [baseline, candidate]
    if twice:
        name = f"{baseline.name}.again"
        artifacts.append(dataclasses.replace(baseline, name=name))
    stages.measure(artifacts, runner, options, run)
    known = stored.run(run)
    before, after, *again = (known[item.name] for item in artifacts)
    return (before, after), again[0].result if again else None


def measure_again(
    rules: budget.Budget,
    results: Mapping[str, stored.Evidence],
    baseline: judge.Baseline,
    runner: benchmark.Runner,
    options: benchmark.RuntimeOptions,
    create_run: Callable[[], run_directory.RunDirectory],
) -> dict[str, stored.Evidence]:
    """Measures what a budget's relative latencies need, in turns.

    Args:
        rules: The budget.
        results: The models, by name.
        baseline: With the files to measure beside them.
        runner: What measures.
        options: How.
        create_run: Makes the run directory for the records, if there is
            anything to measure.

    Returns:
        By artifact name.
    """
    artifacts = judge.to_measure(rules, results, baseline)
    if not artifacts:
        return {}
    run = create_run()
    stages.measure(artifacts, runner, options, run)
    return stored.run(run)
