# SPDX-License-Identifier: Apache-2.0
"""The chart of a soak: latency over time."""

import io
import pathlib
from collections.abc import Sequence

from tflite_opt.records import benchmark, files
from tflite_opt.report import benchmark_text


def write_drift(
    results: Sequence[benchmark.BenchmarkResult], path: pathlib.Path
) -> None:
    """Draws the median and the 95th percentile of each window.

    Args:
        results: Those with windows are drawn.
        path: Gets a PNG.
    """
    # Slow to import, and only a soak draws.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    for index, result in enumerate(results):
        middles = [(x.start_s + x.end_s) / 2 for x in result.drift]
        color = f"C{index % 10}"
        axes.plot(
            middles,
            [window.median_ms for window in result.drift],
            color=color,
            marker=".",
            label=benchmark_text.label(result),
        )
        axes.plot(
            middles,
            [window.p95_ms for window in result.drift],
            color=color,
            linestyle=":",
        )
    axes.set_xlabel("s since the first timed inference")
    axes.set_ylabel("latency, ms (median; dotted: p95)")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    files.write_bytes(path, buffer.getvalue())
