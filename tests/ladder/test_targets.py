# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests.ladder import made
from tflite_opt.ladder import targets
from tflite_opt.records import errors, ladder


def _target(kind, limit):
    return ladder.Target(kind=kind, limit=limit)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.001, 0.003, "met"),
        (-0.001, 0.004, "not provable"),
        (0.0031, 0.01, "missed"),
    ],
)
def test_a_loss_is_judged_by_its_interval(low, high, verdict):
    rung = made.rung("int8", loss=0.002, low=low, high=high)
    assert targets.verdict(_target("metric drop", 0.003), rung) == verdict


@pytest.mark.parametrize(
    ("same", "num_examples", "verdict"),
    [
        (0.99, 10_000, "met"),
        (0.99, 200, "not provable"),
        (0.97, 10_000, "missed"),
    ],
)
def test_agreement_is_judged_by_its_interval(same, num_examples, verdict):
    rung = made.rung("int8", same=same, num_examples=num_examples)
    assert targets.verdict(_target("agreement", 0.985), rung) == verdict


def test_what_has_no_interval_is_met_or_missed():
    rung = made.rung("int8", divergence=0.02, snr_db=25.0)
    assert targets.verdict(_target("divergence", 0.02), rung) == "met"
    assert targets.verdict(_target("divergence", 0.01), rung) == "missed"
    assert targets.verdict(_target("snr_db", 25.0), rung) == "met"
    assert targets.verdict(_target("snr_db", 30.0), rung) == "missed"


def test_what_is_not_known_is_not_judged():
    rung = made.rung("int8")
    for kind in ("agreement", "divergence", "snr_db"):
        assert targets.verdict(_target(kind, 0.5), rung) is None
        assert not targets.is_estimated(_target(kind, 0.5), rung)


def test_few_examples_prove_nothing_however_good():
    few = made.rung("int8", loss=0.0, low=-0.02, high=0.02, num_examples=100)
    many = made.rung("int8", loss=0.0, low=0, high=0, num_examples=10_000)
    target = _target("metric drop", 0.003)
    assert not targets.is_provable(target, few)
    assert targets.is_provable(target, many)
    agreeing = made.rung("int8", same=1.0, num_examples=100)
    assert not targets.is_provable(_target("agreement", 0.99), agreeing)
    assert targets.is_provable(_target("agreement", 0.9), agreeing)


@pytest.mark.parametrize(
    ("kind", "limit"),
    [("agreement", 1.5), ("metric drop", -0.1), ("divergence", -1.0)],
)
def test_a_limit_out_of_range_is_refused(kind, limit):
    with pytest.raises(
        errors.InputError, match=re.escape(f"Received: limit={limit}")
    ):
        _target(kind, limit)


def test_the_nearest_is_judged_by_what_the_target_looks_at():
    first = made.rung("int8", loss=0.02, same=0.9, num_examples=1000)
    second = made.rung("rounding", loss=0.01, same=0.8, num_examples=1000)
    both = [first, second]
    assert targets.nearest(_target("metric drop", 0.003), both) is second
    assert targets.nearest(_target("agreement", 0.99), both) is first
    # Nothing is known of it: the last stands on all before.
    assert targets.nearest(_target("snr_db", 30.0), both) is second
    assert targets.nearest(_target("metric drop", 0.003), [first] * 2) is first
