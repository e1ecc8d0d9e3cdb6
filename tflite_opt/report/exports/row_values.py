# SPDX-License-Identifier: Apache-2.0
"""A line of the report as the parameters and metrics of a trial."""

from tflite_opt.records import report
from tflite_opt.report import evaluation_text


def parameters(row: report.Row) -> dict[str, str]:
    """Returns what was chosen for a variant."""
    return {
        "variant": row.name,
        "made_by": row.produced_by,
        "sha256": row.sha256,
    }


def metrics(row: report.Row) -> dict[str, float]:
    """Returns what was measured; what was not is left out."""
    values: dict[str, float | None] = {
        "size_bytes": row.size_bytes,
        "gzip_bytes": row.gzip_bytes,
        "times_smaller": row.times_smaller,
        "latency_ms": row.median_ms,
        "latency_p90_ms": row.p90_ms,
        "times_faster": row.times_faster,
        "peak_memory_bytes": row.peak_memory_bytes,
        "cpu_ms": row.cpu_ms,
        "energy_mj": row.energy_mj,
        "loss_vs_float32": row.drop.value if row.drop else None,
        "quantized_weight_fraction": row.quantized_weight_fraction,
    }
    for found in (row.metric, *row.other_metrics):
        if found is not None:
            values[evaluation_text.label(found.name)] = found.value
    return {k: float(v) for k, v in values.items() if v is not None}
