# SPDX-License-Identifier: Apache-2.0
"""The first thing the page says: what to ship, at what cost, on what ground."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Literal

from tflite_opt.records import report
from tflite_opt.report import evaluation_text, row_text
from tflite_opt.report.rows import Evidence


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict.

    Attributes:
        tone: `good` if the loss was proved to be within the limit, `bad` if
            it was proved not to be, else `open`.
        choice: Which artifact, and why.
        cost: What it costs.
        not_measured: What nobody looked at.
    """

    tone: Literal["good", "open", "bad"]
    choice: str
    cost: str
    not_measured: tuple[str, ...]


def verdict(content: report.Report, loaded: Sequence[Evidence]) -> Verdict:
    """Returns the verdict on a run, finished or not."""
    chosen = content.recommendation
    missing = tuple(_not_measured(content, loaded))
    if chosen is None:
        return Verdict(
            tone="open",
            choice="No recommendation: the run is not finished.",
            cost="Run the command below again with --resume.",
            not_measured=missing,
        )
    row = next(row for row in content.rows if row.is_recommended)
    aim = {
        "balanced": "small and fast",
        "latency": "fast",
        "size": "small",
    }[chosen.objective]
    return Verdict(
        tone=_tone(row),
        choice=(
            f"Ship {row.name}, the best if {aim} is what counts and the loss "
            f"of {_metric(content)} may be {chosen.max_accuracy_drop:.2%} at "
            f"most: {chosen.reason}"
        ),
        cost=_cost(content, row),
        not_measured=missing,
    )


def _tone(row: report.Row) -> Literal["good", "open", "bad"]:
    if row.drop is None:
        return "good" if row.metric and row.name == "float32" else "open"
    tones: dict[str, Literal["good", "open", "bad"]] = {
        "within": "good",
        "exceeded": "bad",
        "not provable": "open",
    }
    return tones[row.drop.verdict]


def _cost(content: report.Report, row: report.Row) -> str:
    if row.metric is None:
        return "It was not evaluated on the test split yet."
    text = (
        f"On the test split it has {_metric(content)} "
        f"{evaluation_text.metric(row.metric)}"
    )
    if row.drop is None:
        return f"{text}; it is what the others are compared with."
    return f"{text}: {row_text.judgement(row.drop)}"


def _metric(content: report.Report) -> str:
    metric = content.metric
    return evaluation_text.label(metric.name) if metric else "the metric"


def _not_measured(
    content: report.Report, loaded: Sequence[Evidence]
) -> Iterator[str]:
    results = [result for item in loaded for result in item.results]
    if not content.is_labelled:
        yield "accuracy: the data have no labels"
    unmeasured = [item.name for item in loaded if not item.results]
    if unmeasured:
        yield f"latency of {', '.join(unmeasured)}"
    if results and all(
        x.device.abi.startswith(("x86", "AMD")) for x in results
    ):
        yield "latency on a phone: only this desktop was measured"
    if results and any(x.device.is_emulator for x in results):
        yield "latency on real hardware: an emulator was measured"
    if results and any(x.peak_memory_bytes is None for x in results):
        yield "memory, by the tool that measured"
    if not any(x.energy for x in results):
        yield "energy"
    if not any(item.profiles for item in loaded):
        yield "the time of each operation (--op_profile)"
    if content.failures:
        count = len(content.failures)
        yield f"what failed: {count} recipe{'s'[: count != 1]}, see below"
