# SPDX-License-Identifier: Apache-2.0
"""The scatter plot: the metric against latency, area for size."""

import io
import pathlib

from tflite_opt.records import evaluation, files, report
from tflite_opt.report import evaluation_text

_LARGEST_AREA = 900.0


def write_scatter(content: report.Report, path: pathlib.Path) -> None:
    """Draws all measured variants, the Pareto-optimal ones outlined.

    Args:
        content: The report.
        path: Gets a PNG.
    """
    # Slow to import, and only the report draws.
    from matplotlib import ticker
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots()
    largest = max(row.size_bytes for row in content.rows)
    for index, row in enumerate(content.rows):
        if row.metric is None or row.median_ms is None:
            continue
        scale = 100 if row.metric.is_fraction else 1
        color = f"C{index % 10}"
        axes.vlines(
            row.median_ms,
            scale * row.metric.low,
            scale * row.metric.high,
            color=color,
            alpha=0.25,
        )
        axes.scatter(
            row.median_ms,
            scale * row.metric.value,
            s=_LARGEST_AREA * row.size_bytes / largest,
            color=color,
            alpha=0.7,
            edgecolors="black" if row.is_pareto_optimal else "none",
            linewidths=1.8,
            label=f"{row.name}: {row.size_bytes / 1e3:,.0f} kB"
            + (" (recommended)" if row.is_recommended else ""),
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_xlabel("median latency, ms (log scale; left is faster)")
    axes.set_ylabel(_axis_label(content.metric))
    axes.set_title(
        f"{content.description.model.path.name} on "
        f"{content.description.dataset}\n"
        "area is file size; outlined is Pareto-optimal",
        fontsize=10,
    )
    if content.device:
        axes.legend(
            loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=0.4
        )
    axes.grid(alpha=0.3, which="both")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    files.write_bytes(path, buffer.getvalue())


def _axis_label(metric: evaluation.Metric | None) -> str:
    if metric is None:
        return ""
    text = f"{evaluation_text.label(metric.name)} on the test split"
    if metric.is_fraction:
        text += ", %"
    return text if metric.higher_is_better else f"{text} (lower is better)"
