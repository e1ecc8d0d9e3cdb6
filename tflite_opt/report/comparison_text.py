# SPDX-License-Identifier: Apache-2.0
"""The words and tables of a comparison."""

from collections.abc import Sequence

import tabulate

from tflite_opt.records import comparison
from tflite_opt.report import evaluation_text

_HEADERS = (
    "model",
    "latency (95 % CI)",
    "verdict",
    "size",
    "gzip",
    "peak memory",
    "loss of accuracy",
    "verdict",
)


def describe(results: Sequence[comparison.Comparison]) -> str:
    """Returns a line for each model, of a single one all numbers, and how.

    Args:
        results: At least one.
    """
    first = results[0]
    sweep = len({found.options.num_threads for found in results}) > 1
    rows = [
        _cells(name, found)
        for name, found in zip(names(results), results, strict=True)
    ]
    lines = [tabulate.tabulate(rows, _HEADERS, disable_numparse=True)]
    if len(results) == 1:
        lines += ["", quantities(first)]
    lines += ["", _conditions(first, sweep)]
    return "\n".join([*lines, *_warnings(results)])


def _warnings(results: Sequence[comparison.Comparison]) -> list[str]:
    """Returns each warning once, with the models it is about."""
    names: dict[str, list[str]] = {}
    for found in results:
        for warning in found.warnings:
            names.setdefault(warning, []).append(found.candidate.name)
    return [
        warning
        if len(models) == len(results)
        else f"{', '.join(models)}: {warning}"
        for warning, models in names.items()
    ]


def ratio(found: comparison.LatencyRatio) -> str:
    """Returns the ratio with its interval."""
    if found.low is None or found.high is None:
        return f"{found.value:.4g}x"
    return f"{found.value:.4g}x ({found.low:.4g}-{found.high:.4g})"


def verdict(found: comparison.LatencyRatio) -> str:
    """Returns the verdict; an open one says what would close it."""
    if found.verdict != "inconclusive":
        return found.verdict
    if found.low is None:
        return "inconclusive: too few launches for an interval"
    if found.launches_needed is None:
        return "inconclusive: too close to the margin, or too noisy"
    return (
        f"inconclusive: about {found.launches_needed} launches of each would "
        "decide it"
    )


def quantities(found: comparison.Comparison) -> str:
    """Returns all numbers of both, side by side."""
    rows = [
        (
            item.name.replace("_", " "),
            _number(item.baseline),
            _number(item.candidate),
            times(item),
        )
        for item in found.quantities
    ]
    headers = ("", "baseline", "candidate", "ratio")
    return tabulate.tabulate(
        rows,
        headers,
        disable_numparse=True,
        colalign=("left", "right", "right", "right"),
    )


def names(results: Sequence[comparison.Comparison]) -> list[str]:
    """Returns what to call each, with the threads if they differ."""
    sweep = len({found.options.num_threads for found in results}) > 1
    return [
        found.candidate.name
        + (
            f" against {found.baseline.name}"
            if found.candidate.name != found.baseline.name
            else ""
        )
        + (f", num_threads={found.options.num_threads}" if sweep else "")
        for found in results
    ]


def _cells(name: str, found: comparison.Comparison) -> tuple[str, ...]:
    by_name = {item.name: item for item in found.quantities}
    return (
        name,
        ratio(found.latency),
        verdict(found.latency),
        times(by_name["size_bytes"]),
        times(by_name["gzip_bytes"]),
        times(by_name["peak_memory_bytes"]),
        evaluation_text.loss(found.drop),
        evaluation_text.verdict(found.drop),
    )


def _conditions(found: comparison.Comparison, sweep: bool) -> str:
    latency, options = found.latency, found.options
    turns = {
        "rounds": "in turns",
        "none": "not in turns",
    }[latency.pairing]
    threads = "" if sweep else f"num_threads={options.num_threads}, "
    text = (
        f"{found.device.model}; {found.runtime}; {latency.num_launches} "
        f"launches of each, {turns}; {threads}delegate={options.delegate}; "
        f"margin {latency.margin:.2%}"
    )
    if found.noise_floor is not None:
        text += f", noise floor {found.noise_floor:.2%}"
    return text


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def times(item: comparison.Quantity) -> str:
    """Returns the candidate as a multiple of the baseline."""
    if item.baseline is None or item.candidate is None or not item.baseline:
        return "-"
    return f"{item.candidate / item.baseline:.4g}x"
