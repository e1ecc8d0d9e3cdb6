# SPDX-License-Identifier: Apache-2.0
import dataclasses
import itertools

import numpy as np
import pytest

from tflite_opt.post_training import float_choice
from tflite_opt.records import sensitivity


def _scan(*operations, input_cost=0.0):
    """Returns a scan of operations: weights, activations, readers."""
    return sensitivity.Sensitivity(
        sha256="0" * 64,
        num_examples=8,
        seconds=0.1,
        input_cost=input_cost,
        input_readers=(0,),
        operations=tuple(
            sensitivity.OperationSensitivity(
                position=position,
                operation="MUL",
                output=f"t{position}",
                layers=(),
                parameters=16,
                macs=None,
                activation_cost=activation,
                weight_cost=weight,
                int4_cost=None,
                readers=readers,
            )
            for position, (weight, activation, readers) in enumerate(operations)
        ),
    )


def _random_scan(seed, count=8):
    """Returns one of a graph with branches."""
    random = np.random.default_rng(seed)
    return _scan(
        *(
            (
                float(random.random() ** 6) if random.random() < 0.6 else None,
                float(random.random() ** 6),
                tuple(
                    reader
                    for reader in range(position + 1, count)
                    if reader == position + 1 or random.random() < 0.2
                ),
            )
            for position in range(count)
        ),
        input_cost=float(random.random() ** 6),
    )


def _best_by_trying_all(found, share):
    """Returns how many are needed, and the most that as many can save."""
    count = len(found.operations)
    for size in range(count // 2 + 1):
        best = max(
            found.saved_by(chosen)
            for chosen in itertools.combinations(range(count), size)
        )
        if best >= share * found.total_cost:
            return size, best
    return None


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_nothing_is_better_than_what_is_chosen(seed, share):
    found = _random_scan(seed)
    expected = _best_by_trying_all(found, share)
    chosen = float_choice.fewest(found, share)
    if chosen is None:
        assert expected is None
        return
    saved = found.saved_by([x.position for x in chosen])
    assert (len(chosen), saved) == (
        expected[0],
        pytest.approx(expected[1], rel=1e-4),
    )


def test_what_is_read_twice_is_float_only_with_both_readers():
    chain = (None, 0.0, ())
    found = _scan(
        chain, (None, 9.0, (2, 4)), chain, (1.0, 0.0, ()), chain, chain, chain
    )
    assert [x.position for x in float_choice.fewest(found, 0.1)] == [3]
    assert [x.position for x in float_choice.fewest(found, 0.5)] == [1, 2, 4]
    # Half of the operations are not enough for all.
    assert float_choice.fewest(found, 1.0) is None


def test_two_places_are_left_with_what_is_between_them_in_int8():
    cheap = (0.01, 0.01, ())
    found = _scan(cheap, (5.0, 0.0, (2,)), cheap, cheap, (4.0, 0.0, ()), cheap)
    chosen = float_choice.fewest(found, 0.9)
    assert [x.output for x in chosen] == ["t1", "t4"]


@pytest.mark.parametrize("name", ["", "t0"], ids=["empty", "not its own"])
def test_what_no_rule_can_mean_is_not_chosen(name):
    cheap = (0.1, 0.0, ())
    found = _scan(cheap, (5.0, 0.0, ()), cheap, cheap)
    spoiled = dataclasses.replace(found.operations[1], output=name)
    found = dataclasses.replace(
        found, operations=(found.operations[0], spoiled, *found.operations[2:])
    )
    assert float_choice.fewest(found, 0.5) is None


def test_a_layer_with_most_parameters_is_not_chosen():
    cheap = (0.3, 0.0, ())
    found = _scan(cheap, cheap, cheap, (5.0, 0.0, ()), cheap, cheap)
    assert [x.position for x in float_choice.fewest(found, 0.5)] == [3]
    large = dataclasses.replace(found.operations[3], parameters=1000)
    found = dataclasses.replace(
        found,
        operations=(*found.operations[:3], large, *found.operations[4:]),
    )
    assert float_choice.fewest(found, 0.5) is None
    few = float_choice.fewest(found, 0.1)
    assert 3 not in [x.position for x in few]


def test_what_costs_nothing_needs_no_float():
    assert float_choice.fewest(_scan((0.0, 0.0, ())), 0.5) is None
