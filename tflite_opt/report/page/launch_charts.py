# SPDX-License-Identifier: Apache-2.0
"""Charts of how a variant was measured: its launches, and the device."""

import dataclasses
import datetime
from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt
import numpy as np

from tflite_opt.records import (
    android,
    android_launch,
    benchmark,
    files,
    serialization,
)
from tflite_opt.report import benchmark_text
from tflite_opt.report.page import chart

_TICKS = np.arange(0.02, 1.0, 0.04)
_STATE_TITLES = {
    "clock": "clock of the CPUs, MHz",
    "load": "processes that wanted a CPU",
    "steal": "CPU time given to others by the hypervisor",
    "temperature": "temperature, degrees Celsius",
    "battery": "charge of the battery",
    "thermal": "thermal status, from 0 (not throttled) to 6",
}


def latency(results: Sequence[benchmark.BenchmarkResult]) -> list[chart.View]:
    """Returns the distribution of the samples of each launch."""
    return [
        chart.View(
            title="Latency by launch",
            caption=f"{benchmark_text.place(result)}. {caption}",
            spec=_distributions(rows, ticks),
        )
        for result in results
        for rows, ticks, caption in [_launches(result)]
        if rows
    ]


def drift(results: Sequence[benchmark.BenchmarkResult]) -> list[chart.View]:
    """Returns the latency over the time of a soak."""
    views = []
    for result in results:
        rows = [
            {"s": (x.start_s + x.end_s) / 2, "ms": value, "latency": name}
            for x in result.drift
            for name, value in (
                ("median", x.median_ms),
                ("95th percentile", x.p95_ms),
            )
        ]
        if rows:
            lines = (
                alt.Chart(chart.data(rows))
                .mark_line(point=True)
                .encode(
                    x=alt.X("s:Q", title="s since the first timed inference"),
                    y=alt.Y("ms:Q", title="latency, ms"),
                    color=alt.Color("latency:N", title=None),
                    tooltip=chart.tooltips(["latency", "s", "ms"]),
                )
                .properties(height=190)
            )
            views.append(
                chart.View(
                    title="Latency over time",
                    caption=f"{benchmark_text.place(result)}. One long launch.",
                    spec=chart.spec(lines),
                )
            )
    return views


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeviceStates:
    """What a device was like while it measured.

    Attributes:
        device: Which.
        views: A chart for each quantity that changed.
        steady: What did not change, a phrase each.
    """

    device: str
    views: list[chart.View]
    steady: list[str]


def states(
    results: Sequence[benchmark.BenchmarkResult],
) -> list[DeviceStates]:
    """Returns the states of the devices around the launches of all variants.

    Launches of the variants take turns, so that they share one time axis.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        own = rows.setdefault(result.device.model, [])
        own += _machine_states(result)
        own += _android_states(result)
    return [_device(device, own) for device, own in rows.items() if own]


def _device(device: str, rows: chart.Rows) -> DeviceStates:
    views, steady = [], []
    for key, title in _STATE_TITLES.items():
        own = [row for row in rows if row["quantity"] == key]
        values = {row["value"] for row in own}
        if len(values) == 1:
            steady.append(f"{title}: {values.pop():,.4g} throughout")
        elif own:
            view = chart.View(title=title, caption="", spec=_timeline(own))
            views.append(view)
    return DeviceStates(device=device, views=views, steady=steady)


def _launches(
    result: benchmark.BenchmarkResult,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], str]:
    """Returns statistics of each launch, single quantiles, and a caption."""
    path = result.samples_path
    if path is not None and path.is_file():
        samples = [x / 1e6 for x in files.read_npz(path).values()]
        return _of_samples(samples)
    rows: list[dict[str, Any]] = [
        {
            "launch": number,
            "inferences": launch.num_runs,
            "p5": launch.summary.p5_ms or launch.summary.min_ms,
            "median": launch.summary.median_ms or launch.summary.avg_ms,
            "p95": launch.summary.p95_ms or launch.summary.max_ms,
        }
        for number, launch in enumerate(result.launches, 1)
        if launch.summary is not None
    ]
    caption = (
        "What the tool prints of each launch: 5th percentile (or fastest) to "
        "95th (or slowest), and the median (or mean)."
    )
    return rows, [], caption


def _of_samples(
    samples: Sequence[np.ndarray],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], str]:
    names = ("p5", "p25", "median", "p75", "p95")
    rows: list[dict[str, Any]] = []
    ticks: list[dict[str, Any]] = []
    for number, values in enumerate(samples, 1):
        found = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
        rows.append(
            {"launch": number, "inferences": len(values)}
            | dict(zip(names, map(float, found), strict=True))
        )
        ticks += [
            {"launch": number, "ms": float(value)}
            for value in np.quantile(values, _TICKS)
        ]
    caption = (
        "Line: 5th to 95th percentile; bar: the middle half; tick: median; "
        "dashes: every fourth percentile from the 2nd."
    )
    return rows, ticks, caption


def _distributions(rows: chart.Rows, ticks: chart.Rows) -> dict[str, Any]:
    accent = "#4c78a8"
    base = alt.Chart(chart.data(rows)).encode(
        x=alt.X("launch:O", title="launch", axis=alt.Axis(labelAngle=0)),
        tooltip=chart.tooltips(rows[0]),
    )
    # A few slow inferences must not flatten all others.
    values = [x["ms"] for x in ticks] or [1.0]
    is_skewed = max(values) > 3 * float(np.median(values))
    scale = alt.Scale(type="log") if is_skewed else alt.Scale(zero=False)
    layers: list[alt.Chart] = [
        base.mark_rule(color=accent).encode(
            y=alt.Y(
                "p5:Q",
                title="latency, ms",
                scale=scale,
                axis=alt.Axis(format="~r"),
            ),
            y2="p95",
        ),
        base.mark_tick(thickness=2, color="currentColor").encode(y="median:Q"),
    ]
    if ticks:
        layers.insert(
            1,
            base.mark_bar(width={"band": 0.45}, color=accent).encode(
                y="p25:Q", y2="p75"
            ),
        )
        layers.insert(
            0,
            alt.Chart(chart.data(ticks))
            .mark_tick(color=accent, opacity=0.45, width={"band": 0.7})
            .encode(x="launch:O", y=alt.Y("ms:Q", scale=scale)),
        )
    return chart.spec(alt.layer(*layers).properties(height=190))


def _machine_states(
    result: benchmark.BenchmarkResult,
) -> Iterator[dict[str, Any]]:
    for launch in result.launches:
        if launch.state is None:
            continue
        for quantity, value in (
            ("clock", launch.state.mhz_after),
            ("load", launch.state.load_before),
            ("steal", launch.state.steal_fraction),
        ):
            if value is not None:
                yield _state(
                    quantity, launch.started_at, value, result, quantity
                )


def _android_states(
    result: benchmark.BenchmarkResult,
) -> Iterator[dict[str, Any]]:
    path = result.logs_path
    if path is None or not path.is_file():
        return
    content = serialization.read_json(path)
    if content.get("record") != android_launch.AndroidLogs.__name__:
        return
    logs = android_launch.AndroidLogs.from_json(content, path.parent)
    for launch in logs.launches:
        for state in (launch.before, launch.after):
            for quantity, name, value in _device_values(state):
                yield _state(quantity, state.taken_at, value, result, name)


def _device_values(
    state: android.DeviceState,
) -> Iterator[tuple[str, str, float]]:
    for kind in ("cpu", "skin", "battery"):
        hottest = state.hottest(kind)
        if hottest is not None:
            yield "temperature", kind, hottest.celsius
    if state.battery_fraction is not None:
        yield "battery", "battery", state.battery_fraction
    if state.thermal_status is not None:
        yield "thermal", "thermal", state.thermal_status


def _state(
    quantity: str,
    taken_at: str,
    value: float,
    result: benchmark.BenchmarkResult,
    name: str,
) -> dict[str, Any]:
    seconds = datetime.datetime.fromisoformat(taken_at).timestamp()
    return {
        "quantity": quantity,
        "time": int(seconds * 1000),
        "value": value,
        "of": name,
        "variant": result.artifact.name,
    }


def _timeline(rows: chart.Rows) -> dict[str, Any]:
    kinds = {row["of"] for row in rows}
    encoding: dict[str, Any] = {
        "x": alt.X("time:T", title=None, axis=alt.Axis(tickCount=6)),
        "y": alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
        "tooltip": [
            *chart.tooltips(["variant", "of"]),
            alt.Tooltip("time:T", format="%H:%M:%S"),
            *chart.tooltips(["value"]),
        ],
    }
    if len(kinds) > 1:
        encoding["color"] = alt.Color("of:N", title=None, legend=chart.BELOW)
    own = [{k: v for k, v in row.items() if k != "quantity"} for row in rows]
    base = alt.Chart(chart.data(own)).encode(**encoding)
    return chart.spec(
        base.mark_line(opacity=0.5, point=True).properties(height=120)
    )
