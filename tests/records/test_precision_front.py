# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests import factories
from tflite_opt.records import errors, precision_front, sensitivity


def point(name, size_bytes, divergence, loss, median_ms=None):
    """Returns a measured point."""
    return precision_front.PrecisionPoint(
        recipe={"convert": {"precisions": {"a": "int4"}, "float_prefix": 2}},
        artifact=factories.tflite(name, size_bytes=size_bytes),
        expected_divergence=divergence,
        expected_bytes=size_bytes,
        divergence=divergence,
        agreement=0.99,
        drop=factories.drop(loss),
        partitions=1,
        median_ms=median_ms,
        is_optimal=True,
    )


def front():
    """Returns three points, the larger the better."""
    return precision_front.PrecisionFront(
        sensitivity=sensitivity.Sensitivity(
            sha256="0" * 64,
            num_examples=8,
            seconds=0.5,
            input_cost=0.0,
            operations=(),
        ),
        points=(
            point("small", 1000, 0.1, 0.05, 1.0),
            point("middle", 2000, 0.01, 0.002, 2.0),
            point("large", 3000, 0.001, -0.001, 4.0),
        ),
    )


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"max_bytes": 2500}, "middle"),
        ({"max_ms": 1.5}, "small"),
        ({"max_accuracy_drop": 0.003}, "middle"),
        ({"max_accuracy_drop": 0.0}, "large"),
        ({"max_bytes": 9999}, "large"),
        ({"max_bytes": 3000, "max_accuracy_drop": 0.1}, "small"),
    ],
)
def test_the_best_that_keeps_the_budget_is_chosen(limits, name):
    budget = precision_front.PrecisionBudget(**limits)
    assert front().best(budget).artifact.name == name


def test_a_budget_that_nothing_keeps_shows_the_nearest():
    budget = precision_front.PrecisionBudget(max_bytes=900)
    with pytest.raises(
        errors.InputError,
        match=re.escape("The nearest is small: 1,000 bytes, 1.000 ms"),
    ):
        front().best(budget)
    both = precision_front.PrecisionBudget(max_bytes=1500, max_ms=0.9)
    with pytest.raises(errors.InputError, match="nearest is small"):
        front().best(both)


def test_what_was_not_measured_keeps_no_limit():
    unknown = point("x", 1000, 0.1, 0.0)
    budget = precision_front.PrecisionBudget(max_ms=5.0)
    assert unknown.excess(budget) == float("inf")


@pytest.mark.parametrize("limits", [{}, {"max_bytes": -1}])
def test_a_budget_must_say_something(limits):
    with pytest.raises(errors.InputError, match="needs a budget: --max_bytes"):
        precision_front.PrecisionBudget(**limits)


def test_survives_a_round_trip(tmp_path):
    path = tmp_path / "front.json"
    front().save(path)
    found = precision_front.PrecisionFront.load(path)
    assert [x.divergence for x in found.points] == [0.1, 0.01, 0.001]
