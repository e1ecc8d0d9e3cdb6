# SPDX-License-Identifier: Apache-2.0
import dataclasses
import re

import pytest

from tests import factories
from tests.comparison import evidence
from tflite_opt.comparison import absolute_rules, budget
from tflite_opt.records import benchmark, errors

_FOUND = evidence.evidence(
    "int8",
    evaluation=factories.evaluated(
        factories.tflite("int8"),
        metrics=(
            factories.accuracy(0.98),
            dataclasses.replace(
                factories.accuracy(0.5, "mae"),
                higher_is_better=False,
                is_fraction=False,
            ),
        ),
    ),
    facts=factories.model_facts(
        factories.tensor(0, role="weight", dtype="int8"),
        factories.tensor(1, role="weight", num_elements=4),
        min_runtime_version="2.10.1",
    ),
)


def _judge(found=_FOUND, **limits):
    (result,) = absolute_rules.judge(found, budget.Limits(**limits))
    return result


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ({"size_bytes": 1000}, "pass"),
        ({"size_bytes": 999}, "fail"),
        ({"peak_memory_bytes": 1_000_000}, "pass"),
        ({"peak_memory_bytes": 999_999}, "fail"),
        ({"partitions": 1}, "pass"),
        ({"partitions": 0}, "fail"),
        ({"quantized_weight_fraction": 0.8}, "pass"),
        ({"quantized_weight_fraction": 0.81}, "fail"),
        ({"min_runtime_version": "2.10.1"}, "pass"),
        ({"min_runtime_version": "2.11"}, "pass"),
        ({"min_runtime_version": "2.9.9"}, "fail"),
        # The interval is 0.97 to 0.99.
        ({"accuracy": {"top1": 0.97}}, "pass"),
        ({"accuracy": {"top1": 0.98}}, "inconclusive"),
        ({"accuracy": {"top1": 0.991}}, "fail"),
        # An error: 0.49 to 0.51, and lower is better.
        ({"accuracy": {"mae": 0.51}}, "pass"),
        ({"accuracy": {"mae": 0.5}}, "inconclusive"),
        ({"accuracy": {"mae": 0.48}}, "fail"),
    ],
    ids=str,
)
def test_a_rule_has_three_verdicts(limits, verdict):
    found = _judge(**limits)
    assert found.verdict == verdict
    assert found.model == "int8"
    assert found.rule.split(".")[0] in limits
    assert bool(found.note) is (verdict == "inconclusive")


@pytest.mark.parametrize(
    ("max_ms", "verdict"),
    [(1.01, "pass"), (1.0, "inconclusive"), (0.98, "fail")],
)
def test_latency_is_judged_by_its_interval(max_ms, verdict):
    # 1 ms, from 0.99 to 1.01.
    limit = budget.LatencyLimit(max_ms=max_ms)
    found = _judge(latency_ms=(limit,))
    assert found.verdict == verdict
    assert found.found == "1 ms (0.99-1.01)"
    assert found.limit == f"<= {max_ms:g} ms, 1 thread"


def test_latency_without_an_interval_is_inconclusive():
    result = dataclasses.replace(
        _FOUND.result,
        latency=dataclasses.replace(
            _FOUND.result.latency, median_low_ms=None, median_high_ms=None
        ),
    )
    found = _judge(
        dataclasses.replace(_FOUND, result=result),
        latency_ms=(budget.LatencyLimit(max_ms=50.0),),
    )
    assert found.verdict == "inconclusive"
    assert found.note == "Too few launches for an interval."


def test_limits_for_other_devices_are_passed_over_but_one_must_fit():
    limits = (
        budget.LatencyLimit(max_ms=0.1, device="Pixel 8"),
        budget.LatencyLimit(max_ms=0.1, num_threads=4),
        budget.LatencyLimit(max_ms=2.0, device="c*", num_threads=1),
        budget.LatencyLimit(max_ms=3.0, device="k"),
    )
    found = list(absolute_rules.judge(_FOUND, budget.Limits(latency_ms=limits)))
    assert [x.limit for x in found] == [
        "<= 2 ms, 1 thread",
        "<= 3 ms, 1 thread",
    ]
    with pytest.raises(
        errors.InputError,
        match=re.escape(
            "Received: device='cpu', num_threads=1. Known: device='Pixel 8', "
            "num_threads=any; device='*', num_threads=4."
        ),
    ):
        _judge(latency_ms=limits[:2])


def test_each_number_of_threads_of_a_sweep_has_its_limit():
    options = dataclasses.replace(_FOUND.result.options, num_threads=2)
    faster = evidence.measured("int8", options=options, median_ms=0.5)
    found = dataclasses.replace(_FOUND, sweep=(faster,))
    limits = (
        budget.LatencyLimit(max_ms=2.0, num_threads=1),
        budget.LatencyLimit(max_ms=0.4, num_threads=2),
    )
    judged = list(absolute_rules.judge(found, budget.Limits(latency_ms=limits)))
    assert [(x.limit, x.verdict) for x in judged] == [
        ("<= 2 ms, 1 thread", "pass"),
        ("<= 0.4 ms, 2 threads", "fail"),
    ]


def test_a_delegate_that_takes_nothing_fails():
    result = dataclasses.replace(_FOUND.result, partitions=0)
    found = dataclasses.replace(_FOUND, result=result)
    judged = _judge(found, partitions=3)
    assert judged.verdict == "fail"
    assert judged.limit == "1 to 3"
    assert judged.note == "The delegate takes nothing."
    assert _judge(found, partitions=0).verdict == "pass"


def test_a_file_that_states_no_version_is_inconclusive():
    facts = factories.model_facts(min_runtime_version=None)
    found = dataclasses.replace(_FOUND, facts=facts)
    judged = _judge(found, min_runtime_version="2.17.0")
    assert (judged.verdict, judged.found) == ("inconclusive", "not stated")


def test_a_model_that_could_not_be_measured_fails_with_the_reason():
    failure = benchmark.BenchmarkFailure(
        artifact=_FOUND.artifact, message="It crashed."
    )
    found = dataclasses.replace(_FOUND, result=None, failure=failure)
    for limits in (
        {"latency_ms": (budget.LatencyLimit(max_ms=1.0),)},
        {"peak_memory_bytes": 5},
    ):
        judged = _judge(found, **limits)
        assert (judged.verdict, judged.note) == ("fail", "It crashed.")


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        ({"latency_ms": (budget.LatencyLimit(max_ms=1.0),)}, "a benchmark of"),
        ({"peak_memory_bytes": 5}, "a benchmark of"),
        ({"partitions": 1}, "a benchmark or the facts of"),
        ({"quantized_weight_fraction": 0.5}, "the facts of"),
        ({"min_runtime_version": "2.17.0"}, "the facts of"),
        ({"accuracy": {"top1": 0.5}}, "an evaluation of"),
    ],
    ids=str,
)
def test_a_rule_with_nothing_to_look_at_is_an_error(limits, what):
    bare = evidence.evidence("int8", result=None)
    with pytest.raises(errors.InputError, match=f"needs {what} 'int8'"):
        _judge(bare, **limits)


def test_an_unknown_metric_is_an_error_with_the_known_ones():
    with pytest.raises(
        errors.InputError,
        match=re.escape("the metric 'top5' (known: top1, mae) of 'int8'"),
    ):
        _judge(accuracy={"top5": 0.9})
