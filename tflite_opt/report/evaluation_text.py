# SPDX-License-Identifier: Apache-2.0
"""The words and the table of an evaluation."""

from collections.abc import Sequence

import tabulate

from tflite_opt.records import evaluation

_HEADERS = (
    "model",
    "top-1 (95 % CI)",
    "top-5",
    "loss vs first",
    "verdict",
    "same as Keras",
    "max |diff|",
    "mean |diff|",
)


def table(results: Sequence[evaluation.Evaluation]) -> str:
    """Returns one line for each evaluation, and on what it was made."""
    first = results[0]
    return "\n".join(
        [
            tabulate.tabulate(
                [_cells(result) for result in results],
                _HEADERS,
                disable_numparse=True,
            ),
            f"{first.num_examples:,} examples of {first.dataset}, "
            f"split {first.split}",
        ]
    )


def metric(found: evaluation.Metric | None) -> str:
    """Returns a metric with its interval, as percentages."""
    if found is None:
        return "-"
    return f"{found.value:.2%} ({found.low:.2%}-{found.high:.2%})"


def loss(drop: evaluation.AccuracyDrop | None) -> str:
    """Returns the loss with its interval, in percentage points."""
    if drop is None:
        return "-"
    return f"{drop.value:+.2%} ({drop.low:+.2%} to {drop.high:+.2%})"


def verdict(drop: evaluation.AccuracyDrop | None) -> str:
    """Returns the verdict; an open one says with how many examples."""
    if drop is None:
        return "-"
    if drop.verdict == "not provable":
        return f"not provable with {drop.num_examples:,} examples"
    return drop.verdict


def _cells(result: evaluation.Evaluation) -> tuple[str, ...]:
    same = result.agreement
    return (
        result.artifact.name,
        metric(result.metric_called("top1")),
        metric(result.metric_called("top5")),
        loss(result.drop),
        verdict(result.drop),
        f"{same.same_predictions:.2%}" if same else "-",
        f"{same.max_absolute_difference:.3g}" if same else "-",
        f"{same.mean_absolute_difference:.3g}" if same else "-",
    )
