# SPDX-License-Identifier: Apache-2.0
"""The words about one line of the report."""

from tflite_opt.records import evaluation, report
from tflite_opt.report import evaluation_text


def latency(row: report.Row) -> str:
    """Returns the median with its interval, in milliseconds."""
    return interval(row.median_ms, row.median_low_ms, row.median_high_ms)


def interval(value: float | None, low: float | None, high: float | None) -> str:
    """Returns a value with its interval, as far as they are known."""
    if value is None or low is None or high is None:
        return number(value)
    return f"{value:.4g} ({low:.4g}-{high:.4g})"


def judgement(drop: evaluation.MetricDrop) -> str:
    """Returns the loss, the verdict, and what would decide an open one."""
    text = f"loss {evaluation_text.loss(drop)}, "
    text += evaluation_text.verdict(drop)
    if drop.examples_needed is not None:
        text += (
            f"; about {drop.examples_needed:,} would decide it at these rates"
        )
    return text + "."


def number(value: float | None) -> str:
    """Returns four digits, or a dash for what is not known."""
    return "-" if value is None else f"{value:.4g}"
