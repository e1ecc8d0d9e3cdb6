# SPDX-License-Identifier: Apache-2.0
"""Reads the records of a run and joins them into one `Report`."""

import dataclasses
import glob
import pathlib
from collections.abc import Sequence
from typing import TypeVar

from tflite_opt.records import benchmark as benchmark_record
from tflite_opt.records import (
    data_check,
    evaluation,
    ladder,
    model_spec,
    op_profile,
    report,
    run_directory,
    serialization,
    tensor_errors,
    variants,
)
from tflite_opt.report import costs, rows

_RecordT = TypeVar("_RecordT", bound=serialization.Record)


@dataclasses.dataclass(frozen=True)
class RunRecords:
    """The places of a run's records.

    Attributes:
        run: The run directory.
    """

    run: run_directory.RunDirectory

    @property
    def description(self) -> pathlib.Path:
        """`RunDescription`."""
        return self.run.path("run.json")

    @property
    def conversion(self) -> pathlib.Path:
        """`Conversion`."""
        return self.run.path("conversion.json")

    @property
    def recommendation(self) -> pathlib.Path:
        """`Recommendation`."""
        return self.run.path("recommendation.json")

    @property
    def opened(self) -> pathlib.Path:
        """`OpenedModel`."""
        return self.run.path("float", "model.json")

    @property
    def data_check(self) -> pathlib.Path:
        """`DataCheck` of the representative data."""
        return self.run.path("data_check.json")

    @property
    def preflight(self) -> pathlib.Path:
        """`Preflight`."""
        return self.run.path("preflight.json")

    def variant(self, name: str) -> pathlib.Path:
        """`Variant` of a recipe."""
        return self.run.path("artifacts", f"{name}.json")

    def evaluation(self, name: str, split: str) -> pathlib.Path:
        """`Evaluation` of a variant on a split."""
        return self.run.path("evaluations", f"{name}.{split}.json")

    def predictions(self, name: str, split: str) -> pathlib.Path:
        """Per-example predictions of a variant on a split."""
        return self.run.path("evaluations", f"{name}.{split}.npz")

    def ladder(self, name: str) -> pathlib.Path:
        """`Ladder` of an automatic recipe."""
        return self.run.path("ladder", f"{name}.json")

    def tensor_errors(self, name: str) -> pathlib.Path:
        """`TensorErrors` of an integer variant."""
        return self.run.path("tensor_errors", f"{name}.json")

    def benchmark(self, name: str) -> pathlib.Path:
        """`BenchmarkResult` of a variant."""
        return self.run.path("benchmarks", f"{name}.json")

    def benchmarks(self, name: str) -> list[benchmark_record.BenchmarkResult]:
        """Reads a variant's benchmark, then those in folders of a sweep."""
        path = self.benchmark(name)
        found = [path] if path.is_file() else []
        found += sorted(path.parent.glob(f"*/{glob.escape(path.name)}"))
        return [
            benchmark_record.BenchmarkResult.load(place, self.run.root)
            for place in found
        ]

    def benchmark_failure(self, name: str) -> pathlib.Path:
        """`BenchmarkFailure` of a variant."""
        return self.run.path("benchmarks", f"{name}.failure.json")

    def op_profiles(self, name: str) -> list[op_profile.ProfiledModel]:
        """Reads the op profiles of a variant, of all devices and threads."""
        pattern = f"{glob.escape(name)}.threads_*.json"
        return [
            op_profile.ProfiledModel.load(place, self.run.root)
            for place in sorted(self.run.path("op_profiles").rglob(pattern))
        ]

    @property
    def report(self) -> pathlib.Path:
        """The folder of the written report."""
        return self.run.path("report")

    def optional(
        self, record: type[_RecordT], path: pathlib.Path
    ) -> _RecordT | None:
        """Reads a record that may not exist yet."""
        return record.load(path, self.run.root) if path.exists() else None


def evidence(run: run_directory.RunDirectory) -> list[rows.Evidence]:
    """Returns all records of the run's variants, float32 first.

    Raises:
        InputError: If the run has not converted anything, or a record is
            damaged.
    """
    records = RunRecords(run)
    conversion = variants.Conversion.load(records.conversion, run.root)
    return [_load(records, name) for name in conversion.names]


def _load(records: RunRecords, name: str) -> rows.Evidence:
    results = records.benchmarks(name)
    return rows.Evidence(
        variant=variants.Variant.load(records.variant(name), records.run.root),
        validation=records.optional(
            evaluation.Evaluation, records.evaluation(name, "validation")
        ),
        test=records.optional(
            evaluation.Evaluation, records.evaluation(name, "test")
        ),
        results=tuple(results),
        failure=(
            None
            if results
            else records.optional(
                benchmark_record.BenchmarkFailure,
                records.benchmark_failure(name),
            )
        ),
        profiles=tuple(records.op_profiles(name)),
        errors=records.optional(
            tensor_errors.TensorErrors, records.tensor_errors(name)
        ),
        ladder=records.optional(ladder.Ladder, records.ladder(name)),
    )


def build(run: run_directory.RunDirectory) -> report.Report:
    """Returns the report of a run, finished or not.

    Raises:
        InputError: If the run has not converted anything, or a record is
            damaged.
    """
    return join(run, evidence(run))


def join(
    run: run_directory.RunDirectory,
    loaded: Sequence[rows.Evidence],
    prices: report.Prices | None = None,
) -> report.Report:
    """Returns the report of a run whose evidence is read already.

    Args:
        run: The run.
        loaded: Its evidence, float32 first.
        prices: What the user pays; nothing that is known if None.

    Raises:
        InputError: If a record is damaged.
    """
    records = RunRecords(run)
    description = report.RunDescription.load(records.description, run.root)
    conversion = variants.Conversion.load(records.conversion, run.root)
    chosen = records.optional(report.Recommendation, records.recommendation)
    lines = [rows.row(item, loaded[0], chosen) for item in loaded]
    results = [item.result for item in loaded if item.result]
    failures = [str(failure) for failure in conversion.failures]
    failures += [item.failure.message for item in loaded if item.failure]
    options = results[0].options if results else None
    opened = records.optional(model_spec.OpenedModel, records.opened)
    # A report travels; where the model was on this machine does not matter.
    model = dataclasses.replace(
        description.model, path=pathlib.Path(description.model.path.name)
    )
    return report.Report(
        description=dataclasses.replace(description, model=model),
        recommendation=chosen,
        rows=tuple(rows.mark_pareto(lines)),
        failures=tuple(failures),
        device=_device_text(results[0].device) if results else "",
        runtime=results[0].runtime if results else "",
        options=_options_text(options) if options else "",
        command=run.manifest.command,
        versions=run.manifest.versions,
        is_labelled=all(
            found.is_labelled
            for item in loaded
            for found in (item.validation, item.test)
            if found
        ),
        notes=opened.notes() if opened else (),
        data_check=records.optional(data_check.DataCheck, records.data_check),
        prices=prices or report.Prices(),
        costs=costs.costs(
            (result for item in loaded for result in item.results),
            prices or report.Prices(),
        ),
    )


def _device_text(device: benchmark_record.DeviceInfo) -> str:
    return f"{device.model}, {device.num_cpus} CPUs, {device.abi}, {device.os}"


def _options_text(options: benchmark_record.RuntimeOptions) -> str:
    return (
        f"{options.launches} launches of at least {options.num_runs} runs and "
        f"{options.min_secs:g} s, num_threads={options.num_threads}, "
        f"delegate={options.delegate}"
    )
