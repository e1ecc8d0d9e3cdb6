# SPDX-License-Identifier: Apache-2.0
import dataclasses
import re

import pytest

from tests import factories
from tests.comparison import evidence
from tflite_opt.comparison import budget, budget_units, relative_rules, stored
from tflite_opt.records import benchmark, errors

_LIMITS = budget.Limits(relative=budget.Relative(latency=0.03))


def _sized(size_bytes):
    item = factories.tflite("int8", size_bytes=size_bytes)
    return stored.Evidence(artifact=item)


@pytest.mark.parametrize(
    ("size_bytes", "limit", "verdict"),
    [
        (1010, 0.01, "pass"),
        (1011, 0.01, "fail"),
        (900, 0.0, "pass"),
        (1001, 0.0, "fail"),
    ],
)
def test_the_growth_of_a_file_has_no_error(size_bytes, limit, verdict):
    found = relative_rules.size(_sized(size_bytes), _sized(1000), limit)
    assert found.verdict == verdict
    assert found.rule == "relative.size"
    assert f"(1,000 to {size_bytes:,})" in found.found


def test_a_model_that_the_baseline_does_not_have_is_inconclusive():
    limit = budget_units.Loss(value=0.01, unit="points")
    for found in (
        relative_rules.size(_sized(1), None, 0.01),
        relative_rules.loss(_sized(1), None, limit),
        *relative_rules.latency([_sized(1)], [_LIMITS], {}),
    ):
        assert found.verdict == "inconclusive"
        assert found.note == "The baseline has no model of this name."


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [(0.1, "pass"), (0.05, "inconclusive"), (0.02, "fail")],
)
def test_a_loss_fails_only_when_it_is_established(tmp_path, limit, verdict):
    before, after = (
        stored.Evidence(
            artifact=factories.tflite(name),
            evaluation=evidence.evaluated(tmp_path, name, wrong=wrong),
        )
        for name, wrong in (("old", 10), ("new", 60))
    )
    loss = budget_units.Loss(value=limit, unit="points")
    found = relative_rules.loss(after, before, loss)
    assert found.verdict == verdict
    assert found.limit == f"loss <= {100 * limit:g} points"
    assert found.found.startswith("+5.00% (")
    if verdict == "inconclusive":
        assert found.note.startswith("Not provable with 1,000 examples")
    percent = dataclasses.replace(loss, unit="%")
    with pytest.raises(errors.InputError, match="must be in points"):
        relative_rules.loss(after, before, percent)
    bare = stored.Evidence(artifact=factories.tflite("old"))
    with pytest.raises(errors.InputError, match="an evaluation of 'old'"):
        relative_rules.loss(after, bare, loss)


def _latency(factor, limits=_LIMITS, **fields):
    both = (
        evidence.measured("int8.baseline"),
        evidence.measured("int8", factor, turn=1, **fields),
    )
    (found,) = relative_rules.latency(
        [evidence.evidence("int8")], [limits], {"int8": both}
    )
    return found


@pytest.mark.parametrize(
    ("factor", "verdict"),
    # 0.97 lies on the lower bound of the margin, which does not matter here.
    [(0.97, "pass"), (1.0, "pass"), (1.03, "inconclusive"), (1.1, "fail")],
)
def test_latency_fails_only_when_growth_is_established(factor, verdict):
    found = _latency(factor)
    assert found.verdict == verdict
    assert found.limit == "<= 1.03x"
    assert re.match(r"\d\.\d+x \(", found.found)


def test_an_open_latency_says_how_many_launches_would_do():
    found = _latency(1.03)
    assert found.verdict == "inconclusive"
    needed = re.fullmatch(
        r"About --launches=(\d+) would decide it.", found.note
    )
    assert int(needed[1]) > 10


def test_too_few_launches_are_inconclusive():
    launches = factories.launches([1.0] * 3)
    found = _latency(1.0, launches=launches)
    assert found.verdict == "inconclusive"
    assert found.note == "Too few launches for an interval."


def test_several_models_are_looked_at_together():
    names = [f"m{i}" for i in range(8)]
    measured = {
        name: (
            evidence.measured(f"{name}.baseline"),
            evidence.measured(name, 1.1 if name == "m3" else 1.0, turn=1),
        )
        for name in names
    }
    models = [evidence.evidence(name) for name in names]
    found = list(relative_rules.latency(models, [_LIMITS] * 8, measured))
    assert [x.model for x in found] == names
    assert [x.verdict for x in found] == [
        "fail" if name == "m3" else "pass" for name in names
    ]


def test_who_could_not_be_measured_decides_the_verdict():
    good = evidence.measured("int8", turn=1)
    bad = benchmark.BenchmarkFailure(artifact=good.artifact, message="Dead.")
    for both, verdict in (((good, bad), "fail"), ((bad, good), "inconclusive")):
        (found,) = relative_rules.latency(
            [evidence.evidence("int8")], [_LIMITS], {"int8": both}
        )
        assert (found.verdict, found.note) == (verdict, "Dead.")
