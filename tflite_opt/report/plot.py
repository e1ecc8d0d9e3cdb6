# SPDX-License-Identifier: Apache-2.0
"""The scatter plot: accuracy against latency, area for size."""

import io
import pathlib

from tflite_opt.records import files, report

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
        if row.accuracy is None or row.median_ms is None:
            continue
        low, high = row.accuracy.low, row.accuracy.high
        color = f"C{index % 10}"
        axes.vlines(
            row.median_ms, 100 * low, 100 * high, color=color, alpha=0.25
        )
        axes.scatter(
            row.median_ms,
            100 * row.accuracy.value,
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
    axes.set_ylabel("top-1 accuracy on the test split, %")
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
