# SPDX-License-Identifier: Apache-2.0
"""Reads what earlier programs found out about models."""

import dataclasses
import pathlib

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import (
    benchmark,
    errors,
    files,
    run_directory,
    serialization,
    variants,
)
from tflite_opt.records import evaluation as evaluation_record
from tflite_opt.records import facts as facts_record
from tflite_opt.report import build
from tflite_opt.tflite import facts as facts_reader

# Where a run has several, the split that decides is the one chosen last.
_SPLITS = ("test", "validation")
_BENCHMARKS = (
    benchmark.BenchmarkResult.__name__,
    benchmark.BenchmarkFailure.__name__,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of one model; what was not looked at is None.

    Attributes:
        artifact: The model.
        result: Its benchmark; of several, the first.
        sweep: The other ones, with other numbers of threads.
        failure: Why it has no benchmark.
        evaluation: Its accuracy on the test split, else on validation.
        facts: Read from the file.
    """

    artifact: artifact_record.Artifact
    result: benchmark.BenchmarkResult | None = None
    sweep: tuple[benchmark.BenchmarkResult, ...] = ()
    failure: benchmark.BenchmarkFailure | None = None
    evaluation: evaluation_record.Evaluation | None = None
    facts: facts_record.ModelFacts | None = None

    @property
    def results(self) -> tuple[benchmark.BenchmarkResult, ...]:
        """All benchmarks."""
        return (self.result, *self.sweep) if self.result else ()


def load(path: pathlib.Path) -> dict[str, Evidence]:
    """Returns what a run directory or a benchmark record holds, by model.

    Args:
        path: A run directory, or the `BenchmarkResult` of one model.

    Raises:
        InputError: If it is neither, or a record is damaged.
    """
    if path.is_dir():
        return run(run_directory.RunDirectory.open(path))
    root = next(
        (x for x in path.resolve().parents if (x / "manifest.json").is_file()),
        path.resolve().parent,
    )
    result = benchmark.BenchmarkResult.load(path, root)
    if (root / "manifest.json").is_file():
        known = run(run_directory.RunDirectory.open(root))
        found = known.get(result.artifact.name)
        if found is not None and result in found.results:
            found = dataclasses.replace(found, result=result, sweep=())
            return {result.artifact.name: found}
    return {result.artifact.name: of_result(result)}


def of_result(result: benchmark.BenchmarkResult) -> Evidence:
    """Returns the benchmark, and the facts where the file is still there."""
    return Evidence(
        artifact=result.artifact,
        result=result,
        facts=_facts_of_file(result.artifact),
    )


def run(directory: run_directory.RunDirectory) -> dict[str, Evidence]:
    """Returns all models of a run, in its order.

    Raises:
        InputError: If the run has no models, or a record is damaged.
    """
    records = build.RunRecords(directory)
    names = _names(records)
    if not names:
        raise errors.InputError(
            "A run must hold variants or benchmarks. Received: "
            f"{str(directory.root)!r}, which has neither. Give the "
            "--output_dir of `scripts.optimize` or `scripts.benchmark`."
        )
    return {name: _evidence(records, name) for name in names}


def _names(records: build.RunRecords) -> list[str]:
    conversion = records.optional(variants.Conversion, records.conversion)
    names = list(conversion.names) if conversion else []
    for path in sorted(records.run.path("benchmarks").rglob("*.json")):
        # What a tool printed may be kept there, too.
        if serialization.read_json(path).get("record") in _BENCHMARKS:
            names.append(path.stem.removesuffix(".failure"))
    for path in sorted(records.run.path("evaluations").glob("*.json")):
        name, _, split = path.stem.rpartition(".")
        if split in _SPLITS:
            names.append(name)
    return list(dict.fromkeys(names))


def _evidence(records: build.RunRecords, name: str) -> Evidence:
    variant = records.optional(variants.Variant, records.variant(name))
    results = records.benchmarks(name)
    failure = records.optional(
        benchmark.BenchmarkFailure, records.benchmark_failure(name)
    )
    measured = [
        records.optional(
            evaluation_record.Evaluation, records.evaluation(name, split)
        )
        for split in _SPLITS
    ]
    evaluated = next((found for found in measured if found), None)
    # One of them is there, or the name would not be.
    item = next(
        found.artifact
        for found in (variant, *results, failure, evaluated)
        if found is not None
    )
    return Evidence(
        artifact=item,
        result=results[0] if results else None,
        sweep=tuple(results[1:]),
        failure=failure,
        evaluation=evaluated,
        facts=variant.facts if variant else _facts_of_file(item),
    )


def _facts_of_file(
    item: artifact_record.Artifact,
) -> facts_record.ModelFacts | None:
    """Returns the facts if the file is still the one that was measured."""
    path = item.path
    if not path.is_file() or files.sha256_of_file(path) != item.sha256:
        return None
    return facts_reader.read_facts(path)
