# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from tflite_opt.records import errors, search
from tflite_opt.search import limits

ALL = search.Limits(max_accuracy_drop=0.01, max_latency_ms=2.0, max_bytes=1000)


def test_nothing_is_beyond_its_limit_at_the_limit():
    assert limits.excess(ALL, drop=0.01, latency_ms=2.0, size=1000) == {}


def test_excess_is_in_units_that_can_be_added():
    found = limits.excess(ALL, drop=0.03, latency_ms=3.0, size=1500)
    assert found == pytest.approx(
        {"max_accuracy_drop": 2.0, "max_latency_ms": 0.5, "max_bytes": 0.5}
    )


def test_the_front_holds_what_nothing_dominates():
    costs = {
        "a": (0, 2, 1),
        "b": (1, 1, 1),
        "c": (1, 2, 1),
        "d": (2, 0, 1),
        "same": (1, 1, 1),
    }
    assert limits.front(costs) == ["a", "b", "d"]
    assert limits.dominating(costs["c"], costs) == "a"
    assert limits.dominating((0, 0, 0), costs) is None


def test_hypervolume_of_two_boxes_counts_what_they_share_once():
    assert limits.hypervolume([(0, 1), (1, 0)], (2, 2)) == 3


def test_hypervolume_ignores_points_beyond_the_reference():
    assert limits.hypervolume([(0, 0, 3), (2, 0, 0)], (2, 2, 2)) == 0


def test_hypervolume_in_three_places_equals_a_count_of_cells():
    random = np.random.default_rng(0)
    points = random.integers(0, 6, (8, 3))
    cells = np.array(list(itertools.product(range(6), repeat=3)))
    covered = (points[:, None] <= cells).all(-1).any(0).sum()
    assert limits.hypervolume(points.tolist(), (6, 6, 6)) == covered


def test_rejects_a_limit_that_nothing_meets():
    with pytest.raises(errors.InputError, match="Received: max_bytes=0"):
        search.Limits(max_accuracy_drop=0.01, max_bytes=0)
