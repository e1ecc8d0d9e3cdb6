# SPDX-License-Identifier: Apache-2.0
"""The file that `--result_file_path` names."""

from tests.emulated_device.benchmark_tool.statistics import Statistics
from tflite_opt.benchmark import tool_protos


def content(
    name: str,
    init_us: int,
    warmup: Statistics,
    timed: Statistics,
    memory_kb: tuple[int, int],
    peak_mb: float | None,
    *,
    size_mb: float,
    scale: float,
) -> bytes:
    """Returns the encoded message.

    Args:
        name: Of the benchmark.
        init_us: Of loading.
        warmup: Of the first phase.
        timed: Of the second.
        memory_kb: Growth until the model is ready, and until the end.
        peak_mb: None where the monitor was off.
        size_mb: Of the model.
        scale: Of the timed latencies; 1 for the truth.
    """
    result = tool_protos.message_class("BenchmarkResult")()
    result.name = name
    latency = result.latency_metrics
    latency.avg_ms = scale * timed.avg / 1e3
    latency.min_ms = scale * timed.min / 1e3
    latency.max_ms = scale * timed.max / 1e3
    latency.stddev_ms = scale * timed.std / 1e3
    latency.median_ms = scale * timed.median / 1e3
    latency.p5_ms = scale * timed.p5 / 1e3
    latency.p95_ms = scale * timed.p95 / 1e3
    latency.init_ms = init_us / 1e3
    latency.first_inference_ms = warmup.first / 1e3
    latency.average_warm_up_ms = warmup.avg / 1e3
    memory = result.memory_metrics
    memory.init_footprint_kb, memory.overall_footprint_kb = memory_kb
    memory.peak_mem_mb = -1.0 if peak_mb is None else peak_mb
    misc = result.misc_metrics
    misc.model_size_mb = size_mb
    misc.num_runs = timed.count
    misc.num_warmup_runs = warmup.count
    return bytes(result.SerializeToString())
