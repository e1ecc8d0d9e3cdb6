# SPDX-License-Identifier: Apache-2.0
"""The words and the table of an evaluation."""

from collections.abc import Sequence

import tabulate

from tflite_opt.records import evaluation

_LABELS = {
    "top1": "top-1",
    "top5": "top-5",
    "agreement": "agreement with the original",
    "relative_error": "error relative to the original",
}
_METHODS = {
    "wilson": "Wilson interval",
    "tango": "Tango's score interval",
    "percentile bootstrap": "percentile bootstrap over examples",
}
_UNITS = {
    "fraction": "",
    "relative": ", as a part of the baseline's value",
    "metric": ", in the metric's unit",
}


def table(results: Sequence[evaluation.Evaluation]) -> str:
    """Returns one line for each evaluation, and on what it was made."""
    first = results[0]
    headers = (
        "model",
        header(first.metric, first.is_labelled),
        *(label(found.name) for found in first.metrics[1:]),
        "loss vs first",
        "verdict",
        "same as original",
        "max |diff|",
        "mean |diff|",
    )
    return "\n".join(
        [
            tabulate.tabulate(
                [_cells(result) for result in results],
                headers,
                disable_numparse=True,
            ),
            f"{first.num_examples:,} examples of {first.dataset}, "
            f"split {first.split}",
        ]
    )


def label(name: str) -> str:
    """Returns what people call a metric."""
    # A function of the user's goes by its own name.
    return _LABELS.get(name, name.rpartition(":")[2].replace("_", " "))


def header(found: evaluation.Metric | None, is_labelled: bool) -> str:
    """Returns the header of the column of a primary metric.

    Args:
        found: One of the column; None if nothing was evaluated.
        is_labelled: Whether there are labels to judge by.
    """
    if found is None:
        return "not evaluated"
    text = f"{label(found.name)} (95 % CI)"
    if not found.higher_is_better:
        text += ", lower is better"
    return text if is_labelled else f"no labels: {text}"


def method(name: str) -> str:
    """Returns what people call a way to make an interval."""
    return _METHODS.get(name, name)


def unit(drop: evaluation.MetricDrop) -> str:
    """Returns what a loss is a part of, if it is no difference of fractions."""
    return _UNITS[drop.unit]


def value(found: evaluation.Metric | None) -> str:
    """Returns the value alone: a fraction as a percentage."""
    if found is None:
        return "-"
    return f"{found.value:.2%}" if found.is_fraction else f"{found.value:.4g}"


def metric(found: evaluation.Metric | None) -> str:
    """Returns a metric with its interval; fractions as percentages."""
    if found is None:
        return "-"
    if found.is_fraction:
        return f"{found.value:.2%} ({found.low:.2%}-{found.high:.2%})"
    return f"{found.value:.4g} ({found.low:.4g} to {found.high:.4g})"


def loss(drop: evaluation.MetricDrop | None) -> str:
    """Returns the loss with its interval.

    In percentage points; for an error in percent of the baseline's value, or
    in its own unit where that is 0.
    """
    if drop is None:
        return "-"
    style = "+.4g" if drop.unit == "metric" else "+.2%"
    bounds = f"({drop.low:{style}} to {drop.high:{style}})"
    return f"{drop.value:{style}} {bounds}"


def verdict(drop: evaluation.MetricDrop | None) -> str:
    """Returns the verdict; an open one says with how many examples."""
    if drop is None:
        return "-"
    if drop.verdict == "not provable":
        return f"not provable with {drop.num_examples:,} examples"
    return drop.verdict


def same(found: evaluation.Agreement | None) -> str:
    """Returns how many top-1 predictions are those of the original."""
    if found is None or found.same_predictions is None:
        return "-"
    return f"{found.same_predictions:.2%}"


def _cells(result: evaluation.Evaluation) -> tuple[str, ...]:
    apart = result.agreement
    return (
        result.artifact.name,
        metric(result.metric),
        *(metric(found) for found in result.metrics[1:]),
        loss(result.drop),
        verdict(result.drop),
        same(apart),
        f"{apart.max_absolute_difference:.3g}" if apart else "-",
        f"{apart.mean_absolute_difference:.3g}" if apart else "-",
    )
