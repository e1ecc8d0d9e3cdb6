# SPDX-License-Identifier: Apache-2.0
"""The page that shows two runs side by side."""

import dataclasses
import pathlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import altair as alt

from tflite_opt.records import comparison, run_directory
from tflite_opt.report import comparison_text, evaluation_text, row_text
from tflite_opt.report.page import chart, rendering

# Readable on white and on black.
_GOOD, _OPEN, _BAD, _SAME = "#3a9e54", "#c98a0b", "#d9484d", "#4c78a8"
_COLORS = {
    "slower": _BAD,
    "exceeded": _BAD,
    "faster": _GOOD,
    "within": _GOOD,
    "no difference": _SAME,
    "inconclusive": _OPEN,
    "not provable": _OPEN,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two runs.

    Attributes:
        name: What to call it, mostly its directory.
        manifest: How it was made.
        models: Names of all its models.
        recommended: The one it recommends; "" for none.
    """

    name: str
    manifest: run_directory.RunManifest
    models: tuple[str, ...]
    recommended: str


def write(
    found: Sequence[comparison.Comparison],
    baseline: Side,
    candidate: Side,
    path: pathlib.Path,
) -> pathlib.Path:
    """Writes the page.

    Args:
        found: One for each model that both runs have and measured.
        baseline: What was there before.
        candidate: What is judged.
        path: Gets the page.
    """
    context = {
        "baseline": baseline,
        "candidate": candidate,
        "tone": _tone(found),
        "verdict": verdict(found),
        "changes": _changes(baseline, candidate),
        "views": [_latencies(found), *_losses(found)],
        "rows": [
            _row(name, item)
            for name, item in zip(
                comparison_text.names(found), found, strict=True
            )
        ],
        "warnings": list(
            dict.fromkeys(x for item in found for x in item.warnings)
        ),
    }
    return rendering.write("comparison.html", context, path)


def verdict(found: Sequence[comparison.Comparison]) -> str:
    """Returns one sentence with what is significant, worst first."""
    latencies: Counter[str] = Counter(item.latency.verdict for item in found)
    losses: Counter[str] = Counter(
        item.drop.verdict for item in found if item.drop
    )
    parts = [
        f"{latencies[name]} {label}"
        for name, label in (
            ("slower", "slower"),
            ("faster", "faster"),
            ("no difference", "as fast as before"),
            ("inconclusive", "of undecided latency"),
        )
        if latencies[name]
    ]
    if losses:
        words = {
            "exceeded": "beyond the limit",
            "within": "within it",
            "not provable": "not provable either way",
        }
        loss = ", ".join(
            f"{losses[name]} {label}"
            for name, label in words.items()
            if losses[name]
        )
        parts.append(f"loss of accuracy: {loss}")
    count = len(found)
    return f"Of {count} model{'s'[: count != 1]}: {'; '.join(parts)}."


def _tone(found: Sequence[comparison.Comparison]) -> str:
    if any(item.is_worse for item in found):
        return "bad"
    return "open" if any(item.is_inconclusive for item in found) else "good"


def _changes(baseline: Side, candidate: Side) -> list[tuple[str, str, str]]:
    """Returns what differs in how the runs were made: name, before, after."""
    before, after = baseline.manifest, candidate.manifest
    rows = [
        ("command", before.command, after.command),
        ("recommended", baseline.recommended, candidate.recommended),
        (
            "models of one run only",
            _missing(baseline, candidate),
            _missing(candidate, baseline),
        ),
        *(
            (
                name,
                before.versions.get(name, "-"),
                after.versions.get(name, "-"),
            )
            for name in dict.fromkeys([*before.versions, *after.versions])
        ),
    ]
    return [row for row in rows if row[1] != row[2]]


def _missing(one: Side, other: Side) -> str:
    return ", ".join(name for name in one.models if name not in other.models)


def _latencies(found: Sequence[comparison.Comparison]) -> chart.View:
    rows = [
        {
            "model": name,
            "ratio": item.latency.value,
            "low": item.latency.low or item.latency.value,
            "high": item.latency.high or item.latency.value,
            "verdict": item.latency.verdict,
        }
        for name, item in zip(comparison_text.names(found), found, strict=True)
    ]
    margin = found[0].latency.margin
    return chart.View(
        title="Latency, as a multiple of before",
        caption=f"With 95 % intervals; up to {margin:.1%}, between the dashed "
        "lines, does not matter.",
        spec=_forest(rows, "ratio", [1 - margin, 1 + margin], ",~r"),
    )


def _losses(found: Sequence[comparison.Comparison]) -> list[chart.View]:
    rows = [
        {
            "model": name,
            "loss": item.drop.value,
            "low": item.drop.low,
            "high": item.drop.high,
            "verdict": item.drop.verdict,
        }
        for name, item in zip(comparison_text.names(found), found, strict=True)
        if item.drop
    ]
    drop = next((item.drop for item in found if item.drop), None)
    if drop is None:
        return []
    text = ".1%" if drop.unit != "metric" else ",~r"
    return [
        chart.View(
            title="Loss of accuracy",
            caption="On the same examples, with 95 % intervals; right of the "
            "dashed line is beyond the limit"
            f"{evaluation_text.unit(drop)}.",
            spec=_forest(rows, "loss", [drop.max_accuracy_drop], text),
        )
    ]


def _forest(
    rows: chart.Rows, value: str, limits: Sequence[float], format: str
) -> dict[str, Any]:
    scale = alt.Scale(zero=False, padding=10)
    verdicts = list(dict.fromkeys(row["verdict"] for row in rows))
    base = alt.Chart(chart.data(rows)).encode(
        y=chart.labels("model"),
        color=alt.Color(
            "verdict:N",
            title=None,
            legend=chart.BELOW,
            scale=alt.Scale(
                domain=verdicts, range=[_COLORS[x] for x in verdicts]
            ),
        ),
        tooltip=chart.tooltips(rows[0]),
    )
    lines = base.mark_rule(strokeWidth=2).encode(
        x=alt.X(
            "low:Q", title=value, scale=scale, axis=alt.Axis(format=format)
        ),
        x2="high",
    )
    points = base.mark_point(filled=True, size=70).encode(
        x=alt.X(field=value, type="quantitative", scale=scale)
    )
    limit = (
        alt.Chart(chart.data([{"limit": x} for x in limits]))
        .mark_rule(color="currentColor", strokeDash=[4, 3])
        .encode(x="limit:Q")
    )
    height = chart.height(rows) + 10
    return chart.spec(alt.layer(limit, lines, points).properties(height=height))


def _row(name: str, item: comparison.Comparison) -> dict[str, Any]:
    return {
        "name": name,
        "cells": [
            comparison_text.ratio(item.latency),
            comparison_text.verdict(item.latency),
            evaluation_text.loss(item.drop),
            evaluation_text.verdict(item.drop),
        ],
        "is_worse": item.is_worse,
        "quantities": [
            (
                quantity.name.replace("_", " "),
                row_text.number(quantity.baseline),
                row_text.number(quantity.candidate),
                comparison_text.times(quantity),
            )
            for quantity in item.quantities
        ],
    }
