# SPDX-License-Identifier: Apache-2.0
"""The scatter of all variants, and what its axes can be.

The page puts the chosen quantities into the fields `x` and `y`; the front is
computed for them in the browser.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt

from tflite_opt.records import benchmark, evaluation, report
from tflite_opt.report import benchmark_text, evaluation_text, row_text
from tflite_opt.report.page import chart
from tflite_opt.report.rows import Evidence


@dataclasses.dataclass(frozen=True, kw_only=True)
class Axis:
    """A quantity that an axis can show.

    Attributes:
        field: In the points; its interval is in `<field>_low` and `_high`.
        label: For people, with the unit.
        higher_is_better: The direction of improvement.
        is_log: Whether ratios matter more than differences.
        format: In D3's notation.
    """

    field: str
    label: str
    higher_is_better: bool = False
    is_log: bool = False
    format: str = ",~r"


# The name under which the page gives the points to the specification.
POINTS = "points"
# Nothing that costs as little or less is better.
_IS_BEST = "datum.better >= datum.best"

_TOOLTIP = ("variant", "made by", "size", "latency", "metric", "loss")
_COSTS = (
    Axis(field="latency_ms", label="median latency, ms", is_log=True),
    Axis(field="size_kb", label="file size, kB", is_log=True),
    Axis(field="gzip_kb", label="size after gzip, kB", is_log=True),
    Axis(field="peak_mb", label="peak memory of the process, MB"),
    Axis(field="cpu_ms", label="processor time per inference, ms", is_log=True),
    Axis(field="energy_mj", label="energy per inference, mJ"),
    Axis(field="init_ms", label="loading and preparing, ms", is_log=True),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scatter:
    """The chart with its data.

    Attributes:
        points: One for each variant and device or number of threads.
        axes: What the points know.
        places: Where latency was measured, as the points call it.
        spec: In the Vega-Lite grammar, without data.
    """

    points: list[dict[str, Any]]
    axes: list[Axis]
    places: list[str]
    spec: dict[str, Any]


def scatter(
    content: report.Report, loaded: Sequence[Evidence]
) -> Scatter | None:
    """Returns the chart; None if nothing was evaluated or measured."""
    metrics = [content.metric] if content.metric else []
    metrics += content.rows[0].other_metrics
    names = [metric.name for metric in metrics]
    points = [
        {key: chart.rounded(value) for key, value in point.items()}
        for row, item in zip(content.rows, loaded, strict=True)
        for point in _points(row, item, names)
    ]
    axes = [
        axis
        for axis in (*_axes(metrics), *_COSTS)
        if any(point.get(axis.field) is not None for point in points)
    ]
    if not any(axis.field == "metric_0" for axis in axes):
        return None
    places = [point["place"] for point in points if point["place"]]
    return Scatter(
        points=points,
        axes=axes,
        places=list(dict.fromkeys(places)),
        spec=_spec(),
    )


def _axes(metrics: Sequence[evaluation.Metric]) -> Iterator[Axis]:
    for index, metric in enumerate(metrics):
        label = evaluation_text.label(metric.name)
        better = "" if metric.higher_is_better else ", lower is better"
        yield Axis(
            field=f"metric_{index}",
            label=f"{label} on the test split{better}",
            higher_is_better=metric.higher_is_better,
            format=".1%" if metric.is_fraction else ",~r",
        )


def _points(
    row: report.Row, item: Evidence, names: Sequence[str]
) -> Iterator[dict[str, Any]]:
    shared: dict[str, Any] = {
        "variant": row.name,
        "made by": row.produced_by,
        "size_kb": row.size_bytes / 1e3,
        "gzip_kb": row.gzip_bytes / 1e3,
        "is_recommended": row.is_recommended,
        "size": f"{row.size_bytes:,} bytes",
        "metric": evaluation_text.metric(row.metric),
        "loss": evaluation_text.loss(row.drop),
    }
    for metric in (row.metric, *row.other_metrics):
        if metric is not None and metric.name in names:
            field = f"metric_{names.index(metric.name)}"
            shared |= {
                field: metric.value,
                f"{field}_low": metric.low,
                f"{field}_high": metric.high,
            }
    for result in item.results:
        yield shared | _measured(result)
    if not item.results:
        yield shared | {"place": None}


def _measured(result: benchmark.BenchmarkResult) -> dict[str, Any]:
    latency, peak = result.latency, result.peak_memory_bytes
    return {
        "place": benchmark_text.place(result),
        "latency": row_text.interval(
            latency.median_ms, latency.median_low_ms, latency.median_high_ms
        ),
        "latency_ms": latency.median_ms,
        "latency_ms_low": latency.median_low_ms,
        "latency_ms_high": latency.median_high_ms,
        "peak_mb": None if peak is None else peak / 1e6,
        "cpu_ms": result.cpu_ms,
        "energy_mj": result.energy.energy_mj if result.energy else None,
        "init_ms": result.init_ms,
    }


def _spec() -> dict[str, Any]:
    chosen = alt.selection_point(
        name="legend", fields=["variant"], bind="legend"
    )
    color = alt.Color("variant:N", sort=None, title=None)
    seen = alt.condition(chosen, alt.value(0.8), alt.value(0.08))
    whisker = alt.condition(chosen, alt.value(0.55), alt.value(0.05))
    base = alt.Chart(alt.NamedData(POINTS))
    front = base.transform_filter(_IS_BEST).mark_line(
        interpolate="step-after",
        color="currentColor",
        opacity=0.45,
        strokeDash=[4, 3],
    )
    across = base.mark_rule(strokeWidth=2).encode(
        x="x_low:Q", x2="x_high", color=color, opacity=whisker
    )
    up = base.mark_rule(strokeWidth=2).encode(
        y="y_low:Q", y2="y_high", color=color, opacity=whisker
    )
    points = (
        base.mark_circle(stroke="currentColor")
        .encode(
            color=color,
            size=alt.Size(
                "size_kb:Q",
                title="file size, kB",
                scale=alt.Scale(range=[40, 700], zero=True),
                legend=None,
            ),
            strokeWidth=alt.condition(_IS_BEST, alt.value(2), alt.value(0.3)),
            opacity=seen,
            tooltip=chart.tooltips(_TOOLTIP),
        )
        .add_params(chosen)
    )
    ring = base.transform_filter("datum.is_recommended").mark_point(
        size=900, strokeWidth=2, color="currentColor"
    )
    scale = alt.Scale(zero=False, nice=False, padding=24)
    layered = (
        alt.layer(front, across, up, points, ring)
        .transform_window(
            best="max(better)",
            sort=[
                alt.SortField("cost", order="ascending"),
                alt.SortField("better", order="descending"),
            ],
        )
        .encode(x=alt.X("x:Q", scale=scale), y=alt.Y("y:Q", scale=scale))
    )
    return chart.spec(layered.properties(height=380))
