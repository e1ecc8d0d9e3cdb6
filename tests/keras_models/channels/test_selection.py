# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.keras_models.channels import selection


def choices(scores, ranking="global", units=None, **limits):
    return selection.Choices(
        {name: np.array(x, float) for name, x in scores.items()},
        units or dict.fromkeys(scores, 1),
        ranking,
        selection.Limits(**{"min_fraction": 0.0, "round_to": 1} | limits),
    )


SCORES = {"a": [1, 8, 2, 7], "b": [3, 4, 5, 6]}


def test_a_global_ranking_compares_groups():
    found = choices(SCORES)
    assert len(found) == 8
    assert found.widths(2) == {"a": 2, "b": 1}
    assert found.widths(5) == {"a": 2, "b": 3}
    assert found.widths(8) == found.sizes == {"a": 4, "b": 4}


def test_a_ranking_per_layer_takes_the_same_of_each():
    found = choices({"a": [9, 8, 7, 6], "b": [3, 2, 1, 0]}, "per_layer")
    assert found.widths(4) == {"a": 2, "b": 2}


def test_the_best_units_stay_in_their_order():
    keep = choices(SCORES).keep({"a": 2, "b": 3})
    np.testing.assert_array_equal(keep["a"], [1, 3])
    np.testing.assert_array_equal(keep["b"], [1, 2, 3])


@pytest.mark.parametrize(
    ("size", "limits", "floor"),
    [
        (32, {"round_to": 8}, 8),
        (32, {"round_to": 8, "min_fraction": 0.3}, 16),
        (32, {"min_fraction": 0.3}, 10),
        (4, {"round_to": 8}, 4),
        (12, {"round_to": 8, "min_fraction": 0.9}, 12),
        (32, {"protected": ("a",)}, 32),
    ],
)
def test_a_group_has_a_floor(size, limits, floor):
    assert choices({"a": range(size)}, **limits).floors == {"a": floor}


def test_widths_are_multiples_but_the_whole_one():
    found = choices({"a": range(20)}, round_to=8)
    assert {found.widths(n)["a"] for n in range(21)} == {8, 16, 20}


def test_units_of_many_channels_are_rounded_as_channels():
    found = choices({"a": range(8)}, units={"a": 4}, round_to=8)
    assert {found.widths(n)["a"] for n in range(9)} == {2, 4, 6, 8}


def test_the_more_units_the_wider_each_group():
    scores = np.random.default_rng(0).random((3, 40))
    found = choices(dict(zip("abc", scores, strict=True)), round_to=8)
    rows = [list(found.widths(n).values()) for n in range(121)]
    assert (np.diff(rows, axis=0) >= 0).all()


def test_offers_the_best_next_step_first():
    found = choices(SCORES)
    assert found.wider({"a": 3, "b": 3}) == [(3.0, "b", 4), (1.0, "a", 4)]
    assert found.wider(found.sizes) == []


def test_takes_the_same_fraction_of_each():
    assert choices(SCORES).evenly(0.5) == {"a": 2, "b": 2}
