# SPDX-License-Identifier: Apache-2.0
"""Joins what is known of a variant into one line of the report."""

import dataclasses
from collections.abc import Sequence

from tflite_opt.records import (
    benchmark,
    evaluation,
    ladder,
    op_profile,
    report,
    tensor_errors,
    variants,
)
from tflite_opt.report import recommendation


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence:
    """All records of one variant; what was not looked at is None or empty.

    Attributes:
        variant: What was converted.
        validation: On the validation split.
        test: On the test split.
        results: Benchmarks; the first one decides.
        failure: Why there is no benchmark.
        profiles: Of its operations, by device and threads.
        errors: Of its tensors against float.
        ladder: How an automatic recipe came to it.
    """

    variant: variants.Variant
    validation: evaluation.Evaluation | None
    test: evaluation.Evaluation | None
    results: tuple[benchmark.BenchmarkResult, ...]
    failure: benchmark.BenchmarkFailure | None
    profiles: tuple[op_profile.ProfiledModel, ...]
    errors: tensor_errors.TensorErrors | None
    ladder: ladder.Ladder | None

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.variant.artifact.name

    @property
    def result(self) -> benchmark.BenchmarkResult | None:
        """The benchmark that decides."""
        return self.results[0] if self.results else None


def row(
    item: Evidence, baseline: Evidence, chosen: report.Recommendation | None
) -> report.Row:
    """Returns the line of a variant; Pareto-optimal is not decided yet.

    Args:
        item: The variant.
        baseline: float32.
        chosen: The recommendation, if there is one.
    """
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
        cpu_ms=item.result.cpu_ms if item.result else None,
        energy_mj=(
            item.result.energy.energy_mj
            if item.result and item.result.energy
            else None
        ),
    )


def _warnings(item: Evidence, baseline: Evidence) -> tuple[str, ...]:
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
