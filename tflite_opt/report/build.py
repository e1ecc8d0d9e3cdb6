# SPDX-License-Identifier: Apache-2.0
"""Reads the records of a run and joins them into one `Report`."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import TypeVar

from tflite_opt.records import (
    benchmark,
    data_check,
    evaluation,
    model_spec,
    report,
    run_directory,
    serialization,
    variants,
)
from tflite_opt.report import recommendation

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

    def benchmark_failure(self, name: str) -> pathlib.Path:
        """`BenchmarkFailure` of a variant."""
        return self.run.path("benchmarks", f"{name}.failure.json")

    @property
    def report(self) -> pathlib.Path:
        """The folder of the written report."""
        return self.run.path("report")

    def optional(
        self, record: type[_RecordT], path: pathlib.Path
    ) -> _RecordT | None:
        """Reads a record that may not exist yet."""
        return record.load(path, self.run.root) if path.exists() else None


def build(run: run_directory.RunDirectory) -> report.Report:
    """Returns the report of a run, finished or not.

    Raises:
        InputError: If the run has not converted anything, or a record is
            damaged.
    """
    records = RunRecords(run)
    description = report.RunDescription.load(records.description, run.root)
    conversion = variants.Conversion.load(records.conversion, run.root)
    chosen = records.optional(report.Recommendation, records.recommendation)
    loaded = [_load(records, name) for name in conversion.names]
    rows = [_row(item, loaded[0], chosen) for item in loaded]
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
        rows=tuple(mark_pareto(rows)),
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
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Evidence:
    variant: variants.Variant
    validation: evaluation.Evaluation | None
    test: evaluation.Evaluation | None
    result: benchmark.BenchmarkResult | None
    failure: benchmark.BenchmarkFailure | None


def _load(records: RunRecords, name: str) -> _Evidence:
    result = records.optional(
        benchmark.BenchmarkResult, records.benchmark(name)
    )
    return _Evidence(
        variant=variants.Variant.load(records.variant(name), records.run.root),
        validation=records.optional(
            evaluation.Evaluation, records.evaluation(name, "validation")
        ),
        test=records.optional(
            evaluation.Evaluation, records.evaluation(name, "test")
        ),
        result=result,
        failure=(
            None
            if result
            else records.optional(
                benchmark.BenchmarkFailure, records.benchmark_failure(name)
            )
        ),
    )


def _row(
    item: _Evidence, baseline: _Evidence, chosen: report.Recommendation | None
) -> report.Row:
    artifact, facts = item.variant.artifact, item.variant.facts
    compressed = item.variant.compressed
    latency = item.result.latency if item.result else None
    reference = baseline.result.latency if baseline.result else None
    faster = (
        reference.median_ms / latency.median_ms
        if latency and latency.median_ms and reference and reference.median_ms
        else None
    )
    return report.Row(
        name=artifact.name,
        size_bytes=artifact.size_bytes,
        times_smaller=baseline.variant.artifact.size_bytes
        / artifact.size_bytes,
        gzip_bytes=facts.gzip_bytes,
        quantized_weight_fraction=facts.quantized_weight_fraction,
        validation_metric=item.validation.metric if item.validation else None,
        validation_drop=item.validation.drop if item.validation else None,
        metric=item.test.metric if item.test else None,
        other_metrics=item.test.metrics[1:] if item.test else (),
        drop=item.test.drop if item.test else None,
        agreement=item.test.agreement if item.test else None,
        median_ms=latency.median_ms if latency else None,
        median_low_ms=latency.median_low_ms if latency else None,
        median_high_ms=latency.median_high_ms if latency else None,
        p90_ms=latency.p90_ms if latency else None,
        p99_ms=latency.p99_ms if latency else None,
        times_faster=faster,
        throughput_per_s=latency.throughput_per_s if latency else None,
        init_ms=item.result.init_ms if item.result else None,
        first_inference_ms=(
            item.result.first_inference_ms if item.result else None
        ),
        peak_memory_bytes=(
            item.result.peak_memory_bytes if item.result else None
        ),
        partitions=(facts.delegation.partitions if facts.delegation else None),
        is_pareto_optimal=False,
        is_recommended=chosen is not None and chosen.name == artifact.name,
        sha256=artifact.sha256,
        produced_by=artifact.produced_by,
        findings=item.variant.findings,
        warnings=_warnings(item, baseline),
        steps=compressed.steps if compressed else (),
        kept=item.variant.kept,
        keras_agreement=item.variant.keras_agreement,
        sparse_encoded_bytes=facts.sparse_encoded_bytes,
        notes=item.variant.notes,
    )


def _warnings(item: _Evidence, baseline: _Evidence) -> tuple[str, ...]:
    found = list(item.variant.artifact.warnings)
    if item.result and baseline.result:
        if recommendation.is_slower(item.result, baseline.result):
            found.append("slower than float32")
        if not _interleaved(item.result, baseline.result):
            found.append("measured in another session than float32")
        found += item.result.warnings
    if item.failure:
        found.append("not measured: " + item.failure.message)
    return tuple(found)


def _interleaved(
    result: benchmark.BenchmarkResult, baseline: benchmark.BenchmarkResult
) -> bool:
    """Whether the launches of both lie in the same span of time."""
    own = [launch.started_at for launch in result.launches]
    others = [launch.started_at for launch in baseline.launches]
    return min(own) <= max(others) and min(others) <= max(own)


def mark_pareto(rows: Sequence[report.Row]) -> list[report.Row]:
    """Marks the rows that no other one dominates in metric, time and size.

    Args:
        rows: All judged by the same metric; one that was not evaluated or not
            measured is never marked.
    """
    measured, points = [], []
    for row in rows:
        if row.metric is None or row.median_ms is None:
            continue
        sign = 1 if row.metric.higher_is_better else -1
        measured.append(row)
        points.append((sign * row.metric.value, row.median_ms, row.size_bytes))
    flags = recommendation.pareto_optimal(points)
    optimal = {
        row.name for row, flag in zip(measured, flags, strict=True) if flag
    }
    return [
        dataclasses.replace(row, is_pareto_optimal=row.name in optimal)
        for row in rows
    ]


def _device_text(device: benchmark.DeviceInfo) -> str:
    return f"{device.model}, {device.num_cpus} CPUs, {device.abi}, {device.os}"


def _options_text(options: benchmark.RuntimeOptions) -> str:
    return (
        f"{options.launches} launches of at least {options.num_runs} runs and "
        f"{options.min_secs:g} s, num_threads={options.num_threads}, "
        f"delegate={options.delegate}"
    )
