# SPDX-License-Identifier: Apache-2.0
"""What all charts of the pages share.

Colours of text and lines are the page's own (`currentColor`), so that a chart
is readable in light and in dark without being drawn again.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

Rows = Sequence[Mapping[str, Any]]

# More digits than a chart can show are only bytes.
_DIGITS = 6
_BAR_HEIGHT = 18
BELOW = alt.Legend(orient="bottom")


@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """A chart with what to say about it.

    Attributes:
        title: Its heading.
        caption: What it shows, and what it leaves out.
        spec: In the Vega-Lite grammar.
    """

    title: str
    caption: str
    spec: dict[str, Any]


def spec(chart: alt.Chart | alt.LayerChart) -> dict[str, Any]:
    """Returns the specification of a chart as wide as its place.

    Args:
        chart: Its look is the page's: configuration is dropped.
    """
    sized = chart.properties(
        width="container",
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
    )
    found = sized.to_dict()
    for key in ("$schema", "config"):
        found.pop(key, None)
    return found


def data(rows: Rows) -> alt.InlineData:
    """Returns rows as the data of a chart, numbers rounded."""
    return alt.InlineData(
        values=[
            {key: rounded(value) for key, value in row.items()} for row in rows
        ]
    )


def rounded(value: Any) -> Any:
    """Returns floats with the digits that a chart can show."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    return value


def tooltips(fields: Iterable[str]) -> list[alt.Tooltip]:
    """Returns what a pointer shows of the fields, as they are."""
    return [alt.Tooltip(field=name, type="nominal") for name in fields]


def labels(field: str) -> alt.Y:
    """Returns the axis of horizontal bars in the order of their rows."""
    return alt.Y(
        field=field,
        type="nominal",
        sort=None,
        title=None,
        axis=alt.Axis(labelLimit=170),
    )


def height(rows: Rows) -> int:
    """Returns the pixels of a chart with a bar for each row."""
    return _BAR_HEIGHT * len(rows)


def bars(
    rows: Rows,
    *,
    name: str,
    value: str,
    title: str,
    tooltip: Sequence[str],
    color: str | None = None,
    format: str = ",~r",
) -> dict[str, Any]:
    """Returns horizontal bars in the order of the rows.

    Args:
        rows: One for each bar.
        name: Field with the bar's label.
        value: Field with its length.
        title: Of the axis, with the unit.
        tooltip: Fields that a pointer shows.
        color: Field with the bar's group; "" titles no legend.
        format: Of the axis, in D3's notation.
    """
    encoding: dict[str, Any] = {
        "y": labels(name),
        "x": alt.X(
            field=value,
            type="quantitative",
            title=title,
            axis=alt.Axis(format=format, tickCount=5),
        ),
        "tooltip": tooltips(tooltip),
    }
    if color is not None:
        encoding["color"] = alt.Color(
            field=color,
            type="nominal",
            title=None,
            sort=None,
            legend=BELOW,
        )
    chart = alt.Chart(data(rows)).mark_bar().encode(**encoding)
    return spec(chart.properties(height=height(rows)))
