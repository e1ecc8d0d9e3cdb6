# SPDX-License-Identifier: Apache-2.0
"""Small valid records for tests, without files behind them."""

import datetime
import pathlib
from collections.abc import Iterable
from typing import Any

from tflite_opt.records import (
    artifact,
    benchmark,
    evaluation,
    facts,
    finding,
    gate,
)
from tflite_opt.records import data_check as data_check_record


def spec(dtype: str = "float32", name: str = "x") -> facts.TensorSpec:
    scaled = dtype in ("int8", "uint8", "int16")
    return facts.TensorSpec(
        name=name,
        shape=(1, 4),
        dtype=dtype,
        scale=(0.1,) if scaled else (),
        zero_point=(0,) if scaled else (),
    )


def tensor(index: int, **fields: Any) -> facts.TensorFacts:
    values: dict[str, Any] = {
        "subgraph": 0,
        "index": index,
        "name": f"tensor_{index}",
        "shape": (4, 4),
        "dtype": "float32",
        "role": "activation",
        "num_elements": 16,
        "constant_bytes": 0,
        "scales": 0,
    }
    return facts.TensorFacts(**values | fields)


def model_facts(
    *tensors: facts.TensorFacts,
    inputs: str = "float32",
    outputs: str = "float32",
    operators: tuple[tuple[str, tuple[int, ...]], ...] = (),
    **fields: Any,
) -> facts.ModelFacts:
    """Returns facts of a model; operators are names with their weights."""
    values: dict[str, Any] = {
        "sha256": "0" * 64,
        "size_bytes": 1000,
        "gzip_bytes": 500,
        "description": "",
        "min_runtime_version": None,
        "metadata_names": (),
        "num_subgraphs": 1,
        "signatures": (),
        "inputs": (spec(inputs),),
        "outputs": (spec(outputs),),
        "operators": tuple(
            facts.OperatorFacts(
                subgraph=0,
                index=index,
                name=name,
                version=1,
                is_custom=False,
                inputs=weights,
                outputs=(),
                weights=weights,
            )
            for index, (name, weights) in enumerate(operators)
        ),
        "tensors": tensors,
        "bytes_by_dtype": {},
    }
    return facts.ModelFacts(**values | fields)


def tflite(name: str = "int8", **fields: Any) -> artifact.Artifact:
    values: dict[str, Any] = {
        "name": name,
        "path": pathlib.Path(f"/nowhere/{name}.tflite"),
        "format": "tflite",
        "sha256": name.ljust(64, "0"),
        "size_bytes": 1000,
        "gzip_bytes": 500,
    }
    return artifact.Artifact(**values | fields)


def latency(median_ms: float, spread: float = 0.01) -> benchmark.LatencyStats:
    return benchmark.LatencyStats(
        median_ms=median_ms,
        median_low_ms=median_ms * (1 - spread),
        median_high_ms=median_ms * (1 + spread),
        p90_ms=median_ms * 1.1,
        p99_ms=median_ms * 1.2,
        min_ms=median_ms * 0.9,
        throughput_per_s=1e3 / median_ms,
        num_samples=1000,
    )


def launch(median_ms: float = 1.0, **fields: Any) -> benchmark.Launch:
    values: dict[str, Any] = {
        "source": "tflite_opt.launch",
        "init_ms": 1.0,
        "first_inference_ms": 1.0,
        "warmup_runs": 10,
        "num_runs": 50,
        "median_ms": median_ms,
        "peak_memory_bytes": 1_000_000,
        "model_memory_bytes": 1_000,
        "partitions": 1,
        "started_at": "2026-01-01T00:00:00+00:00",
    }
    return benchmark.Launch(**values | fields)


def device(**fields: Any) -> benchmark.DeviceInfo:
    values: dict[str, Any] = {
        "device_key": "k",
        "model": "cpu",
        "abi": "x86_64",
        "os": "Linux",
        "num_cpus": 2,
    }
    return benchmark.DeviceInfo(**values | fields)


def launches(
    medians_ms: Iterable[float],
    turn: int = 0,
    start_s: int = 0,
    source: str = "tflite_opt.launch",
) -> tuple[benchmark.Launch, ...]:
    """Returns launches; those of turns 0 and 1 alternate, 10 s a round."""
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    return tuple(
        launch(
            float(median),
            source=source,
            started_at=(
                begin + datetime.timedelta(seconds=start_s + 10 * index + turn)
            ).isoformat(),
        )
        for index, median in enumerate(medians_ms)
    )


def result(
    item: artifact.Artifact,
    median_ms: float = 1.0,
    spread: float = 0.01,
    **fields: Any,
) -> benchmark.BenchmarkResult:
    values: dict[str, Any] = {
        "artifact": item,
        "device": device(),
        "options": benchmark.RuntimeOptions(),
        "runtime": "ai-edge-litert 2.3.0",
        "launches": (),
        "latency": latency(median_ms, spread),
        "init_ms": 1.0,
        "first_inference_ms": 1.0,
        "peak_memory_bytes": 1_000_000,
        "partitions": 1,
        "samples_path": pathlib.Path("/nowhere/samples.npz"),
        "samples_sha256": "0" * 64,
    }
    return benchmark.BenchmarkResult(**values | fields)


def drop(value: float, **fields: Any) -> evaluation.MetricDrop:
    values: dict[str, Any] = {
        "baseline": "0" * 64,
        "num_examples": 450,
        "value": value,
        "low": value - 0.01,
        "high": value + 0.01,
        "method": "tango",
        "only_baseline_correct": 3,
        "only_candidate_correct": 1,
        "max_accuracy_drop": 0.005,
        "verdict": "not provable",
        "examples_needed": 10_000,
    }
    return evaluation.MetricDrop(**values | fields)


def accuracy(value: float = 0.98, name: str = "top1") -> evaluation.Metric:
    return evaluation.Metric(
        name=name,
        value=value,
        low=value - 0.01,
        high=value + 0.01,
        higher_is_better=True,
        method="wilson",
    )


def evaluated(
    item: artifact.Artifact,
    loss: evaluation.MetricDrop | None = None,
    split: str = "validation",
    **fields: Any,
) -> evaluation.Evaluation:
    values: dict[str, Any] = {
        "artifact": item,
        "dataset": "digits",
        "split": split,
        "data_fingerprint": "f",
        "metrics": (accuracy(),),
        "num_examples": 450,
        "predictions_path": pathlib.Path("/nowhere/predictions.npz"),
        "predictions_sha256": "0" * 64,
        "drop": loss,
    }
    return evaluation.Evaluation(**values | fields)


def data_check(**fields: Any) -> data_check_record.DataCheck:
    statistics = data_check_record.ValueStatistics
    values: dict[str, Any] = {
        "num_samples": 200,
        "num_classes": 10,
        "classes_covered": 9,
        "inputs": (
            data_check_record.InputCheck(
                name="image",
                shape=(8, 8, 1),
                dtype="float32",
                values=statistics(
                    num_samples=200, minimum=0, maximum=1, mean=0.31, std=0.38
                ),
                train=statistics(
                    num_samples=1000, minimum=0, maximum=1, mean=0.3, std=0.37
                ),
                outside_train_range=0.015,
                constant_samples=2,
                zero_samples=1,
                duplicate_samples=3,
                num_channels=3,
                dead_channels=1,
                structure=0.97,
            ),
        ),
        "findings": (
            finding.Finding(
                rule="too-few-samples",
                severity="warning",
                message="50 representative samples",
                reason="Rare large activations may be missing.",
                remedy="Take more.",
            ),
        ),
    }
    return data_check_record.DataCheck(**values | fields)


def gate_result(*verdicts: gate.Verdict) -> gate.GateResult:
    return gate.GateResult(
        rules=tuple(
            gate.RuleResult(
                model="int8",
                rule=f"rule_{index}",
                limit="<= 1",
                found="2",
                verdict=verdict,
                note="Why.",
            )
            for index, verdict in enumerate(verdicts)
        ),
        device="cpu",
    )
