# SPDX-License-Identifier: Apache-2.0
"""The table of a benchmark."""

from collections.abc import Sequence

import tabulate

from tflite_opt.records import benchmark

_HEADERS = (
    "model",
    "median ms",
    "95 % CI",
    "p90 ms",
    "p99 ms",
    "inferences/s",
    "init ms",
    "first ms",
    "peak MB",
    "partitions",
)


def table(results: Sequence[benchmark.BenchmarkResult]) -> str:
    """Returns one line for each result, and how it was measured."""
    if not results:
        return "Nothing could be measured."
    rows = [_cells(result) for result in results]
    first = results[0]
    return "\n".join(
        [
            tabulate.tabulate(rows, _HEADERS, disable_numparse=True),
            f"{first.device.model}; {first.runtime}; {first.options.launches} "
            f"launches, num_threads={first.options.num_threads}, "
            f"delegate={first.options.delegate}",
        ]
    )


def _cells(result: benchmark.BenchmarkResult) -> tuple[str, ...]:
    latency = result.latency
    interval = "-"
    if latency.median_low_ms is not None:
        interval = f"{latency.median_low_ms:.4g}-{latency.median_high_ms:.4g}"
    return (
        result.artifact.name,
        _number(latency.median_ms),
        interval,
        _number(latency.p90_ms),
        _number(latency.p99_ms),
        f"{latency.throughput_per_s:.4g}",
        f"{result.init_ms:.4g}",
        f"{result.first_inference_ms:.4g}",
        _number(
            None
            if result.peak_memory_bytes is None
            else result.peak_memory_bytes / 1e6
        ),
        _number(result.partitions),
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
