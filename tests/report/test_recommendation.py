# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import factories
from tflite_opt.records import errors
from tflite_opt.report import recommendation


def _candidate(name, size, ms, loss=0.0, spread=0.01):
    item = factories.tflite(name, size_bytes=size)
    return recommendation.Candidate(
        evaluation=factories.evaluated(
            item, None if name == "float32" else factories.drop(loss)
        ),
        result=factories.result(item, ms, spread),
    )


_FLOAT = _candidate("float32", 1000, 1.0)


def _recommend(*candidates, objective="balanced", limit=0.005):
    return recommendation.recommend(
        [_FLOAT, *candidates], objective=objective, max_accuracy_drop=limit
    )


def test_the_objective_decides_among_those_within_the_limit():
    small = _candidate("small", 100, 0.9)
    fast = _candidate("fast", 400, 0.2)
    assert _recommend(small, fast, objective="size").name == "small"
    assert _recommend(small, fast, objective="latency").name == "fast"
    assert _recommend(small, fast, objective="balanced").name == "fast"


def test_a_variant_that_loses_more_than_the_limit_is_out():
    chosen = _recommend(_candidate("int4", 100, 0.1, loss=0.02))
    assert chosen.name == "float32"
    assert "1 variant lost more than the limit" in chosen.reason


def test_a_gain_in_accuracy_is_no_loss():
    assert _recommend(_candidate("int8", 300, 0.5, loss=-0.01)).name == "int8"


def test_a_tie_within_noise_goes_to_the_more_accurate():
    chosen = _recommend(
        _candidate("a", 300, 0.500, loss=0.004),
        _candidate("b", 300, 0.505, loss=0.001),
    )
    assert chosen.name == "b"


def test_a_slower_variant_is_recommended_only_with_saying_so():
    chosen = _recommend(_candidate("int4", 100, 3.0), objective="size")
    assert chosen.name == "int4"
    assert chosen.is_slower
    assert "SLOWER than float32" in chosen.reason


def test_a_difference_inside_both_intervals_is_not_called_slower():
    chosen = _recommend(
        _candidate("f16", 500, 1.05, spread=0.1), objective="size"
    )
    assert chosen.name == "f16"
    assert not chosen.is_slower


def test_without_float32_there_is_nothing_to_compare_with():
    with pytest.raises(errors.InputError, match="needs the float32 variant"):
        recommendation.recommend(
            [_candidate("int8", 1, 1.0)],
            objective="size",
            max_accuracy_drop=0.005,
        )


def test_pareto_optimal_are_those_that_nothing_dominates():
    points = [
        (0.98, 1.0, 100.0),  # most accurate
        (0.97, 0.5, 50.0),  # fast
        (0.97, 0.6, 50.0),  # dominated by the one before
        (0.90, 0.9, 20.0),  # smallest
        (0.90, 0.9, 20.0),  # its equal: neither dominates
        (0.89, 2.0, 90.0),  # dominated
    ]
    assert recommendation.pareto_optimal(points) == [
        True,
        True,
        False,
        True,
        True,
        False,
    ]
