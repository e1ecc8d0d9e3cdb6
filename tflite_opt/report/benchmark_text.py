# SPDX-License-Identifier: Apache-2.0
"""The table of a benchmark."""

from collections.abc import Sequence

import numpy as np
import tabulate

from tflite_opt.records import benchmark, energy, roofline

_HEADERS = (
    "model",
    "threads",
    "median ms",
    "95 % CI",
    "p90 ms",
    "p99 ms",
    "inferences/s",
    "init ms",
    "first ms",
    "dropped",
    "peak MB",
    "partitions",
    "checked with",
)
_REASON = "not measured because"


def table(
    results: Sequence[benchmark.BenchmarkResult],
    failures: Sequence[benchmark.BenchmarkFailure] = (),
) -> str:
    """Returns one line for each model, and how they were measured.

    Dropped is the number of inferences of a launch before timing began.
    """
    if not results and not failures:
        return "Nothing could be measured."
    rows = [_cells(result) for result in results]
    headers = list(_HEADERS)
    if failures:
        headers.append(_REASON)
        rows += [
            (failure.artifact.name, *"-" * (len(_HEADERS) - 1), failure.message)
            for failure in failures
        ]
    lines = [tabulate.tabulate(rows, headers, disable_numparse=True)]
    if results:
        lines.append(_how(results))
    for result in results:
        if result.concurrent is not None:
            lines.append(_concurrent(result, result.concurrent))
        if result.drift:
            lines.append(_drift(result))
        if result.energy is not None:
            lines.append(_energy(result, result.energy))
        lines += [f"warning: {label(result)}: {x}" for x in result.warnings]
    return "\n".join(lines)


def label(found: benchmark.BenchmarkResult) -> str:
    """Returns what tells a result from the others of a table."""
    count = found.options.num_threads
    return f"{found.artifact.name}, {count} thread{'s'[: count != 1]}"


def place(result: benchmark.BenchmarkResult) -> str:
    """Returns where a benchmark was made, and with how many threads."""
    options = result.options
    count = options.num_threads
    return (
        f"{result.device.model}, {count} thread{'s'[: count != 1]}, "
        f"{options.delegate}"
    )


def _how(results: Sequence[benchmark.BenchmarkResult]) -> str:
    result = results[0]
    options = result.options
    text = (
        f"{result.device.model}; {result.runtime}; {options.launches} "
        f"launches, delegate={options.delegate}"
    )
    if options.cpu_mask:
        text += f", cpu_mask={options.cpu_mask}"
    costs = [
        launch.timing_ns
        for item in results
        for launch in item.launches
        if launch.timing_ns is not None
    ]
    if costs:
        text += (
            f"; timing itself takes {np.median(costs) / 1e3:.2f} us of each "
            "inference"
        )
    return text


def _concurrent(
    result: benchmark.BenchmarkResult, found: benchmark.ConcurrentStats
) -> str:
    return (
        f"{label(result)}: {found.num_interpreters} interpreters at once do "
        f"{found.throughput_per_s:.4g} inferences/s; p50 {found.p50_ms:.4g}, "
        f"p95 {found.p95_ms:.4g}, p99 {found.p99_ms:.4g} ms."
    )


def _energy(
    result: benchmark.BenchmarkResult, found: energy.EnergyEstimate
) -> str:
    return (
        f"{label(result)}: about {found.energy_mj:.3g} mJ an inference, an "
        f"estimate by the {found.source}: {found.power_mw:.0f} mW over "
        f"{found.duration_s:g} s, idle {found.idle_power_mw:.0f} mW."
    )


def _drift(result: benchmark.BenchmarkResult) -> str:
    first, last = result.drift[0], result.drift[-1]
    slowest = max(result.drift, key=lambda window: window.median_ms)
    change = last.median_ms / first.median_ms - 1
    return (
        f"{label(result)}: over {last.end_s:.0f} s the median went from "
        f"{first.median_ms:.4g} to {last.median_ms:.4g} ms ({change:+.1%}); "
        f"slowest window {slowest.median_ms:.4g} ms at "
        f"{slowest.start_s:.0f} s."
    )


def describe_roofline(found: roofline.Roofline) -> str:
    """Returns one line on how far a model is from the machine's limit."""
    return (
        f"{found.artifact.name}, num_threads={found.num_threads}: "
        f"{found.macs_per_s / 1e9:.3g} of "
        f"{found.reachable_macs_per_s / 1e9:.3g} GMAC/s "
        f"({found.macs_per_s / found.reachable_macs_per_s:.0%}) and "
        f"{found.bytes_per_s / 1e9:.3g} of "
        f"{found.reachable_bytes_per_s / 1e9:.3g} GB/s "
        f"({found.bytes_per_s / found.reachable_bytes_per_s:.0%}) that one "
        f"{found.dtype} fully-connected operation reaches here; its "
        f"{found.median_ms:.4g} ms could be about {found.limit_ms:.4g} ms."
    )


def _cells(result: benchmark.BenchmarkResult) -> tuple[str, ...]:
    latency = result.latency
    interval = "-"
    if latency.median_low_ms is not None:
        interval = f"{latency.median_low_ms:.4g}-{latency.median_high_ms:.4g}"
    return (
        result.artifact.name,
        str(result.options.num_threads),
        _number(latency.median_ms),
        interval,
        _number(latency.p90_ms),
        _number(latency.p99_ms),
        f"{latency.throughput_per_s:.4g}",
        f"{result.init_ms:.4g}",
        f"{result.first_inference_ms:.4g}",
        _dropped(result),
        _number(
            None
            if result.peak_memory_bytes is None
            else result.peak_memory_bytes / 1e6
        ),
        _number(result.partitions),
        result.check.reference if result.check else "-",
    )


def _dropped(result: benchmark.BenchmarkResult) -> str:
    counts = [launch.warmup_runs for launch in result.launches]
    return f"{np.median(counts):.0f}" if counts else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
