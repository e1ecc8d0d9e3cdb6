# SPDX-License-Identifier: Apache-2.0
"""The rules of a budget that look at one model alone."""

import fnmatch
from collections.abc import Iterator

from tflite_opt.comparison import budget, stored
from tflite_opt.records import benchmark, errors, evaluation, gate
from tflite_opt.report import evaluation_text


def judge(
    found: stored.Evidence, limits: budget.Limits
) -> Iterator[gate.RuleResult]:
    """Yields one result for each absolute rule.

    Raises:
        InputError: If a rule asks for what was not measured or evaluated.
    """
    if limits.size_bytes is not None:
        yield _at_most(
            found, "size_bytes", limits.size_bytes, found.artifact.size_bytes
        )
    yield from _latency(found, limits)
    for name, limit in limits.accuracy.items():
        yield _accuracy(found, name, limit)
    yield from _memory(found, limits)
    yield from _facts(found, limits)


def result(
    found: stored.Evidence,
    rule: str,
    *,
    limit: str,
    value: str,
    verdict: gate.Verdict,
    note: str = "",
) -> gate.RuleResult:
    """Returns the result of one rule on a model."""
    return gate.RuleResult(
        model=found.artifact.name,
        rule=rule,
        limit=limit,
        found=value,
        verdict=verdict,
        note=note,
    )


def missing(found: stored.Evidence, rule: str, what: str) -> errors.InputError:
    """Returns the error for a rule that has nothing to look at."""
    return errors.InputError(
        f"The rule {rule!r} needs {what} of {found.artifact.name!r}, and there "
        "is none in the results. Make it, or take the rule out of the budget."
    )


def _at_most(
    found: stored.Evidence, rule: str, limit: int, value: int
) -> gate.RuleResult:
    return result(
        found,
        rule,
        limit=f"<= {limit:,}",
        value=f"{value:,}",
        verdict="pass" if value <= limit else "fail",
    )


def _not_measured(found: stored.Evidence, rule: str) -> gate.RuleResult:
    """Returns a failure where the launch failed, which is a regression.

    Raises:
        InputError: If nobody tried to measure.
    """
    if found.failure is None:
        raise missing(found, rule, "a benchmark")
    return result(
        found,
        rule,
        limit="measured",
        value="not measured",
        verdict="fail",
        note=found.failure.message,
    )


def _latency(
    found: stored.Evidence, limits: budget.Limits
) -> Iterator[gate.RuleResult]:
    if not limits.latency_ms:
        return
    if not found.results:
        yield _not_measured(found, "latency_ms")
        return
    fitting = [
        (measured, limit)
        for measured in found.results
        for limit in limits.latency_ms
        if _fits(limit, measured)
    ]
    if not fitting:
        raise errors.InputError(
            f"No latency limit of {found.artifact.name!r} is for where it was "
            f"measured. Received: {'; '.join(map(_where, found.results))}. "
            f"Known: {'; '.join(map(_place, limits.latency_ms))}."
        )
    for measured, limit in fitting:
        yield _latency_rule(found, measured, limit)


def _where(measured: benchmark.BenchmarkResult) -> str:
    threads = measured.options.num_threads
    return f"device={measured.device.model!r}, num_threads={threads}"


def _fits(
    limit: budget.LatencyLimit, measured: benchmark.BenchmarkResult
) -> bool:
    device = measured.device
    return limit.num_threads in (None, measured.options.num_threads) and any(
        fnmatch.fnmatchcase(name, limit.device)
        for name in (device.model, device.device_key)
    )


def _place(limit: budget.LatencyLimit) -> str:
    threads = limit.num_threads or "any"
    return f"device={limit.device!r}, num_threads={threads}"


def _latency_rule(
    found: stored.Evidence,
    measured: benchmark.BenchmarkResult,
    limit: budget.LatencyLimit,
) -> gate.RuleResult:
    latency = measured.latency
    low, high = latency.median_low_ms, latency.median_high_ms
    value, note = f"{measured.median_ms:.4g} ms", ""
    verdict: gate.Verdict = "inconclusive"
    if low is None or high is None:
        note = "Too few launches for an interval."
    else:
        value += f" ({low:.4g}-{high:.4g})"
        verdict = _side(high <= limit.max_ms, low > limit.max_ms)
        if verdict == "inconclusive":
            note = "The interval holds the limit: raise --launches."
    return result(
        found,
        "latency_ms",
        limit=f"<= {limit.max_ms:.4g} ms, {_threads(measured)}",
        value=value,
        verdict=verdict,
        note=note,
    )


def _threads(measured: benchmark.BenchmarkResult) -> str:
    count = measured.options.num_threads
    return "1 thread" if count == 1 else f"{count} threads"


def _side(is_within: bool, is_beyond: bool) -> gate.Verdict:
    if is_within:
        return "pass"
    return "fail" if is_beyond else "inconclusive"


def _accuracy(
    found: stored.Evidence, name: str, limit: float
) -> gate.RuleResult:
    rule = f"accuracy.{name}"
    if found.evaluation is None:
        raise missing(found, rule, "an evaluation")
    metric = found.evaluation.metric_called(name)
    if metric is None:
        known = ", ".join(x.name for x in found.evaluation.metrics)
        raise missing(found, rule, f"the metric {name!r} (known: {known})")
    if metric.higher_is_better:
        verdict = _side(metric.low >= limit, metric.high < limit)
    else:
        verdict = _side(metric.high <= limit, metric.low > limit)
    return result(
        found,
        rule,
        limit=_metric_limit(metric, limit),
        value=evaluation_text.metric(metric),
        verdict=verdict,
        note=(
            "The interval holds the limit: evaluate more examples."
            if verdict == "inconclusive"
            else ""
        ),
    )


def _metric_limit(metric: evaluation.Metric, limit: float) -> str:
    sign = ">=" if metric.higher_is_better else "<="
    return f"{sign} {limit:.2%}" if metric.is_fraction else f"{sign} {limit:g}"


def _memory(
    found: stored.Evidence, limits: budget.Limits
) -> Iterator[gate.RuleResult]:
    limit = limits.peak_memory_bytes
    if limit is None:
        return
    if found.result is None:
        yield _not_measured(found, "peak_memory_bytes")
        return
    peak = found.result.peak_memory_bytes
    if peak is None:
        raise missing(found, "peak_memory_bytes", "a memory measurement")
    yield _at_most(found, "peak_memory_bytes", limit, peak)


def _facts(
    found: stored.Evidence, limits: budget.Limits
) -> Iterator[gate.RuleResult]:
    if limits.partitions is not None:
        yield _partitions(found, limits.partitions)
    facts = found.facts
    fraction = limits.quantized_weight_fraction
    if fraction is not None:
        if facts is None:
            raise missing(found, "quantized_weight_fraction", "the facts")
        value = facts.quantized_weight_fraction
        yield result(
            found,
            "quantized_weight_fraction",
            limit=f">= {fraction:.2%}",
            value=f"{value:.2%}",
            verdict="pass" if value >= fraction else "fail",
        )
    if limits.min_runtime_version is not None:
        if facts is None:
            raise missing(found, "min_runtime_version", "the facts")
        yield _runtime(
            found, limits.min_runtime_version, facts.min_runtime_version
        )


def _partitions(found: stored.Evidence, limit: int) -> gate.RuleResult:
    delegation = found.facts.delegation if found.facts else None
    value = found.result.partitions if found.result else None
    if value is None and delegation is not None:
        value = delegation.partitions
    if value is None:
        raise missing(found, "partitions", "a benchmark or the facts")
    # Fewer are better, but none means that the delegate took nothing.
    least = min(limit, 1)
    return result(
        found,
        "partitions",
        limit=f"{least} to {limit}" if limit else "0",
        value=str(value),
        verdict="pass" if least <= value <= limit else "fail",
        note="The delegate takes nothing." if value < least else "",
    )


def _runtime(
    found: stored.Evidence, limit: str, value: str | None
) -> gate.RuleResult:
    if value is None:
        verdict: gate.Verdict = "inconclusive"
    else:
        verdict = "pass" if _parts(value) <= _parts(limit) else "fail"
    return result(
        found,
        "min_runtime_version",
        limit=f"<= {limit}",
        value=value or "not stated",
        verdict=verdict,
        note="" if value else "The file does not state it.",
    )


def _parts(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".") if part.isdecimal()]
    return tuple(parts + [0] * (3 - len(parts)))
