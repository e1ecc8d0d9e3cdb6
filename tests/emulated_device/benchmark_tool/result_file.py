# SPDX-License-Identifier: Apache-2.0
"""The file that `--result_file_path` names."""

from tests.emulated_device.benchmark_tool.statistics import Measured
from tflite_opt.benchmark import tool_protos

_OFF_MB = -1.0


def content(measured: Measured, *, scale: float) -> bytes:
    """Returns the encoded message.

    Args:
        measured: What it tells.
        scale: Of the timed latencies; 1 for the truth.
    """
    result = tool_protos.message_class("BenchmarkResult")()
    result.name = measured.name
    latency, timed = result.latency_metrics, measured.timed
    latency.avg_ms = scale * timed.avg / 1e3
    latency.min_ms = scale * timed.min / 1e3
    latency.max_ms = scale * timed.max / 1e3
    latency.stddev_ms = scale * timed.std / 1e3
    latency.median_ms = scale * timed.median / 1e3
    latency.p5_ms = scale * timed.p5 / 1e3
    latency.p95_ms = scale * timed.p95 / 1e3
    latency.init_ms = measured.init_us / 1e3
    latency.first_inference_ms = measured.warmup.first / 1e3
    latency.average_warm_up_ms = measured.warmup.avg / 1e3
    memory = result.memory_metrics
    memory.init_footprint_kb = measured.init_kb
    memory.overall_footprint_kb = measured.overall_kb
    is_off = measured.peak_mb is None
    memory.peak_mem_mb = _OFF_MB if is_off else measured.peak_mb
    misc = result.misc_metrics
    misc.model_size_mb = measured.size_mb
    misc.num_runs = timed.count
    misc.num_warmup_runs = measured.warmup.count
    return bytes(result.SerializeToString())
