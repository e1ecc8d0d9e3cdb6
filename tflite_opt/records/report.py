# SPDX-License-Identifier: Apache-2.0
"""What a run set out to do, what it recommends, and its table."""

import dataclasses
from typing import Literal

from tflite_opt.records import artifact as artifact_record
from tflite_opt.records import (
    compression,
    errors,
    evaluation,
    finding,
    serialization,
)
from tflite_opt.records import data_check as data_check_record

Objective = Literal["balanced", "latency", "size"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunDescription(serialization.Record):
    """What a run set out to do.

    Attributes:
        model: What the user gave.
        dataset: Name of the data set.
        data_fingerprints: By split name.
        num_examples: By split name.
        recipes: Names in the order asked for.
        max_accuracy_drop: Limit on the loss of the primary metric against
            float32, a fraction.
        objective: What the recommendation makes small.
    """

    model: artifact_record.Artifact
    dataset: str
    data_fingerprints: dict[str, str]
    num_examples: dict[str, int]
    recipes: tuple[str, ...]
    max_accuracy_drop: float
    objective: Objective


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recommendation(serialization.Record):
    """The variant chosen on the validation split, before any test.

    Attributes:
        name: The variant.
        objective: What was made small.
        max_accuracy_drop: The user's limit.
        drop: Loss on the validation split; None for float32 itself.
        reason: Why this one, in one or two sentences.
        is_slower: Whether its latency interval lies above float32's.
    """

    name: str
    objective: Objective
    max_accuracy_drop: float
    drop: evaluation.MetricDrop | None
    reason: str
    is_slower: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row(serialization.Record):
    """One line of the table.

    Ratios are against float32; a value that was not measured is None.

    Attributes:
        name: The variant.
        size_bytes: Of the `.tflite`.
        times_smaller: Size of float32 / size.
        gzip_bytes: After gzip at level 9.
        quantized_weight_fraction: Share of weights in at most 8 bits.
        validation_metric: The primary metric on the validation split.
        validation_drop: Its loss against float32 there.
        metric: The primary metric on the test split.
        other_metrics: What else was computed there, such as `top5`.
        drop: Loss against float32 on the test split.
        agreement: With the original model on the test split.
        median_ms: Latency.
        median_low_ms: Lower bound of its 95 % interval.
        median_high_ms: Upper bound.
        p90_ms: 90th percentile.
        p99_ms: 99th percentile.
        times_faster: Latency of float32 / latency.
        throughput_per_s: Inferences per second.
        init_ms: Loading and preparing.
        first_inference_ms: The first invocation.
        peak_memory_bytes: Of a process that runs only this model.
        partitions: Delegate nodes; 1 is best.
        is_pareto_optimal: No other variant is at least as good in the
            primary metric, latency and size and better in one.
        is_recommended: Whether it is the recommendation.
        sha256: Of the file.
        produced_by: Technique and back end.
        findings: Of the linter.
        warnings: One sentence each.
        sparse_encoded_bytes: An estimate of the size if weights were stored
            in TFLite's sparse encoding where that is smaller; None in runs of
            versions that did not look.
        steps: What was done to the Keras model, in order.
        kept: What that promised of its weights, measured on the file.
        keras_agreement: Fraction of equal predictions of the file and the
            Keras model it was made from, on validation examples.
        notes: What calibration, preparations and refinements did.
        cpu_ms: Processor time of an inference.
        energy_mj: Energy of an inference.
    """

    name: str
    size_bytes: int
    times_smaller: float
    gzip_bytes: int
    quantized_weight_fraction: float
    validation_metric: evaluation.Metric | None
    validation_drop: evaluation.MetricDrop | None
    metric: evaluation.Metric | None
    other_metrics: tuple[evaluation.Metric, ...]
    drop: evaluation.MetricDrop | None
    agreement: evaluation.Agreement | None
    median_ms: float | None
    median_low_ms: float | None
    median_high_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    times_faster: float | None
    throughput_per_s: float | None
    init_ms: float | None
    first_inference_ms: float | None
    peak_memory_bytes: int | None
    partitions: int | None
    is_pareto_optimal: bool
    is_recommended: bool
    sha256: str
    produced_by: str
    findings: tuple[finding.Finding, ...]
    warnings: tuple[str, ...]
    sparse_encoded_bytes: int | None = None
    steps: tuple[compression.CompressionStep, ...] = ()
    kept: tuple[compression.KeptPromise, ...] = ()
    keras_agreement: float | None = None
    notes: tuple[str, ...] = ()
    cpu_ms: float | None = None
    energy_mj: float | None = None

    def other(self, name: str) -> evaluation.Metric | None:
        """Returns the metric of that name beside the primary one."""
        return next((x for x in self.other_metrics if x.name == name), None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prices(serialization.Record):
    """What the user pays; nothing is assumed.

    Attributes:
        price_per_cpu_hour: Money for an hour of one processor, in any
            currency; None if the user does not say.
        grid_gco2_per_kwh: Grams of CO2 for a kilowatt-hour; None likewise.
    """

    price_per_cpu_hour: float | None = None
    grid_gco2_per_kwh: float | None = None

    def __post_init__(self) -> None:
        """Checks the bounds.

        Raises:
            InputError: If a value is out of its range.
        """
        super().__post_init__()
        for name in ("price_per_cpu_hour", "grid_gco2_per_kwh"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise errors.InputError(
                    f"`{name}` must not be negative. Received: {name}={value}"
                )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost(serialization.Record):
    """What a million inferences of a variant take, by what was measured.

    Attributes:
        name: The variant.
        place: Where it was measured.
        cpu_hours: Processor time of all threads; None if not measured.
        energy_kwh: None if the device does not tell, or cannot tell it from
            what it takes when idle.
        energy_source: What told the energy; "" if nothing did.
        price: By the user's price; None without, or without processor time.
        co2_g: By the user's grid; None without, or without energy.
    """

    name: str
    place: str
    cpu_hours: float | None
    energy_kwh: float | None
    energy_source: str
    price: float | None
    co2_g: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report(serialization.Record):
    """Everything the report says.

    Attributes:
        description: What the run set out to do.
        recommendation: None if it did not get that far.
        rows: One for each variant, float32 first.
        failures: One line for each recipe without a variant.
        device: Where latency was measured; "" if it was not.
        runtime: What ran the models.
        options: Runtime options, as text.
        command: The command line of the run.
        versions: Package versions.
        is_labelled: Whether the data have labels; without them the primary
            metric compares with the original model.
        notes: What there is to say about the model, a sentence each.
        data_check: What there is to say about the representative data; None
            in runs of versions that did not look.
        prices: What the user pays.
        costs: Of a million inferences, for each variant and device that tell.
    """

    description: RunDescription
    recommendation: Recommendation | None
    rows: tuple[Row, ...]
    failures: tuple[str, ...]
    device: str
    runtime: str
    options: str
    command: str
    versions: dict[str, str]
    notes: tuple[str, ...] = ()
    data_check: data_check_record.DataCheck | None = None
    is_labelled: bool = True
    prices: Prices = dataclasses.field(default_factory=Prices)
    costs: tuple[Cost, ...] = ()

    @property
    def metric(self) -> evaluation.Metric | None:
        """The primary metric of the first variant; None if not evaluated."""
        return self.rows[0].metric

    @property
    def other_names(self) -> tuple[str, ...]:
        """Names of the metrics beside the primary one."""
        found = (x.name for row in self.rows for x in row.other_metrics)
        return tuple(dict.fromkeys(found))
