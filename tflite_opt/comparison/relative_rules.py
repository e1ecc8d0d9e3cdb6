# SPDX-License-Identifier: Apache-2.0
"""The rules of a budget that compare a model with its baseline."""

import math
from collections.abc import Iterator, Mapping, Sequence

from tflite_opt.benchmark import ratio
from tflite_opt.comparison import (
    absolute_rules,
    accuracy,
    budget,
    budget_units,
    compare,
    stored,
)
from tflite_opt.records import benchmark, comparison, errors, evaluation, gate
from tflite_opt.report import comparison_text, evaluation_text

Measured = benchmark.BenchmarkResult | benchmark.BenchmarkFailure


def size(
    found: stored.Evidence, baseline: stored.Evidence | None, limit: float
) -> gate.RuleResult:
    """Judges the growth of the file, which has no error."""
    shown = f"<= {1 + limit:.4g}x"
    if baseline is None:
        return _new(found, "relative.size", shown)
    before, after = baseline.artifact.size_bytes, found.artifact.size_bytes
    return absolute_rules.result(
        found,
        "relative.size",
        limit=shown,
        value=f"{after / before:.4g}x ({before:,} to {after:,})",
        verdict="pass" if after <= before * (1 + limit) else "fail",
    )


def loss(
    found: stored.Evidence,
    baseline: stored.Evidence | None,
    limit: budget_units.Loss,
) -> gate.RuleResult:
    """Judges the loss of the primary metric, paired by example.

    Raises:
        InputError: If one of them was not evaluated, or the unit of the limit
            is not that of the loss.
        DataError: If examples or metrics differ, or predictions are gone.
    """
    rule = "relative.accuracy"
    shown = f"loss <= {100 * limit.value:g} {limit.unit}"
    if baseline is None:
        return _new(found, rule, shown)
    drop = accuracy.paired_drop(
        _evaluation(baseline, rule), _evaluation(found, rule), limit.value
    )
    _check_unit(rule, drop, limit)
    verdicts: dict[evaluation.Verdict, gate.Verdict] = {
        "within": "pass",
        "exceeded": "fail",
        "not provable": "inconclusive",
    }
    return absolute_rules.result(
        found,
        rule,
        limit=shown,
        value=evaluation_text.loss(drop),
        verdict=verdicts[drop.verdict],
        note=_examples(drop),
    )


def _evaluation(side: stored.Evidence, rule: str) -> evaluation.Evaluation:
    if side.evaluation is None:
        raise absolute_rules.missing(side, rule, "an evaluation")
    return side.evaluation


def _check_unit(
    rule: str, drop: evaluation.MetricDrop, limit: budget_units.Loss
) -> None:
    unit = "points" if drop.unit == "fraction" else "%"
    if limit.unit != unit:
        raise errors.InputError(
            f"In the budget, `{rule}` must be in {unit}: that is the unit of "
            f"the metric's loss. Received: {100 * limit.value:g} {limit.unit}."
        )


def _examples(drop: evaluation.MetricDrop) -> str:
    if drop.verdict != "not provable":
        return ""
    text = f"Not provable with {drop.num_examples:,} examples"
    if drop.examples_needed is not None:
        text += f"; about {drop.examples_needed:,} would decide it"
    return f"{text}."


def latency(
    models: Sequence[stored.Evidence],
    limits: Sequence[budget.Limits],
    measured: Mapping[str, tuple[Measured, Measured]],
) -> Iterator[gate.RuleResult]:
    """Judges latencies that were measured in turns, all looked at together.

    Args:
        models: Those with a limit.
        limits: One for each.
        measured: Baseline and candidate by model name; a model that the
            baseline does not have is absent.
    """
    known = [found.artifact.name for found in models]
    pairs: dict[int, ratio.Pair] = {}
    for index, (name, limit) in enumerate(zip(known, limits, strict=True)):
        both = measured.get(name)
        margin = limit.relative.latency
        if both is None or margin is None:
            continue
        before, after = both
        if isinstance(before, benchmark.BenchmarkResult) and isinstance(
            after, benchmark.BenchmarkResult
        ):
            pairs[index] = compare.launches(before, after, margin=margin)
    ratios = dict(zip(pairs, ratio.compare(list(pairs.values())), strict=True))
    for index, (found, limit) in enumerate(zip(models, limits, strict=True)):
        margin = limit.relative.latency or 0.0
        if index in ratios:
            yield _latency_rule(found, ratios[index], margin)
        else:
            yield _no_ratio(found, measured.get(known[index]), margin)


def _latency_rule(
    found: stored.Evidence, item: comparison.LatencyRatio, limit: float
) -> gate.RuleResult:
    verdict: gate.Verdict = "inconclusive"
    if item.verdict == "slower":
        verdict = "fail"
    elif item.high is not None and item.high <= 1 + limit:
        verdict = "pass"
    return absolute_rules.result(
        found,
        "relative.latency",
        limit=_times(limit),
        value=comparison_text.ratio(item),
        verdict=verdict,
        note=_launches(item, limit) if verdict == "inconclusive" else "",
    )


def _times(limit: float) -> str:
    return f"<= {1 + limit:.4g}x"


def _launches(item: comparison.LatencyRatio, limit: float) -> str:
    if item.low is None or item.high is None:
        return "Too few launches for an interval."
    needed = ratio.launches_needed(
        item.num_launches,
        math.log(item.high / item.low) / 2,
        abs(math.log(item.value) - math.log1p(limit)),
    )
    if needed is None:
        return "Too close to the limit, or the machine is too noisy."
    return f"About --launches={needed} would decide it."


def _no_ratio(
    found: stored.Evidence,
    both: tuple[Measured, Measured] | None,
    limit: float,
) -> gate.RuleResult:
    """Returns what there is to say of a model that could not be compared."""
    rule, shown = "relative.latency", _times(limit)
    before, after = both or (None, None)
    # That the baseline cannot run is not the candidate's fault.
    sides: tuple[tuple[Measured | None, gate.Verdict], ...] = (
        (after, "fail"),
        (before, "inconclusive"),
    )
    for side, verdict in sides:
        if isinstance(side, benchmark.BenchmarkFailure):
            return absolute_rules.result(
                found,
                rule,
                limit=shown,
                value="not measured",
                verdict=verdict,
                note=side.message,
            )
    return _new(found, rule, shown)


def _new(found: stored.Evidence, rule: str, limit: str) -> gate.RuleResult:
    return absolute_rules.result(
        found,
        rule,
        limit=limit,
        value="no baseline",
        verdict="inconclusive",
        note="The baseline has no model of this name.",
    )
