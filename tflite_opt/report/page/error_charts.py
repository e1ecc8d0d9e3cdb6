# SPDX-License-Identifier: Apache-2.0
"""Charts of what quantization did to each tensor."""

from typing import Any

import altair as alt

from tflite_opt.records import tensor_errors
from tflite_opt.report import facts_text
from tflite_opt.report.page import chart

_MOST_BARS = 30
_COLUMNS = {
    "signal to noise, dB": "snr_db",
    "by itself, dB": "own_snr_db",
    "cosine": "cosine",
    "values beyond the range": "clipped_fraction",
    "unused levels": "unused_range_fraction",
}


def errors(found: tensor_errors.TensorErrors | None) -> list[chart.View]:
    """Returns the error of each tensor against float, worst first."""
    rows = _rows(found) if found is not None else []
    if found is None or not rows:
        return []
    return [
        chart.View(
            title="Signal to noise",
            caption="Of each tensor against float, worst first: bar, with all "
            "before it quantized too; tick, by what the operation loses "
            f"itself. {found.num_examples:,} calibration examples.",
            spec=_signal_to_noise(rows),
        ),
        chart.View(
            title="Cosine",
            caption="Of each tensor with its float values; 1 is the same "
            "direction.",
            spec=chart.bars(
                rows,
                name="tensor",
                value="lost cosine",
                title="1 - cosine",
                tooltip=["tensor", "operation", *_COLUMNS],
                format="~e",
            ),
        ),
    ]


def _rows(found: tensor_errors.TensorErrors) -> list[dict[str, Any]]:
    worst = [x for x in found.worst_first if x.snr_db is not None]
    return [
        {
            # Two tensors of one layer stay two bars.
            "tensor": f"{facts_text.printable(item.label)} ({item.position})",
            "operation": facts_text.printable(item.operation),
            "lost cosine": None if item.cosine is None else 1 - item.cosine,
            **{name: getattr(item, key) for name, key in _COLUMNS.items()},
        }
        for item in worst[:_MOST_BARS]
    ]


def _signal_to_noise(rows: chart.Rows) -> dict[str, Any]:
    name, own = list(_COLUMNS)[:2]
    base = alt.Chart(chart.data(rows)).encode(
        y=chart.labels("tensor"),
        tooltip=chart.tooltips(["tensor", "operation", *_COLUMNS]),
    )
    bars = base.mark_bar().encode(
        x=alt.X(field=name, type="quantitative", title=name)
    )
    ticks = base.mark_tick(thickness=2, color="currentColor").encode(
        x=alt.X(field=own, type="quantitative")
    )
    return chart.spec(
        alt.layer(bars, ticks).properties(height=chart.height(rows))
    )
