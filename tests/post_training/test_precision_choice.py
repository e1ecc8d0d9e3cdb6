# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from tflite_opt.post_training import precision_choice
from tflite_opt.records import sensitivity

_BYTES = 10_000


def _scan(*operations):
    return sensitivity.Sensitivity(
        sha256="0" * 64,
        num_examples=8,
        seconds=0.1,
        input_cost=1e-6,
        operations=tuple(
            sensitivity.OperationSensitivity(
                position=position,
                operation=kind,
                output=f"t{position}",
                layers=(),
                parameters=parameters,
                macs=None,
                activation_cost=activation,
                weight_cost=weight,
                int4_cost=int4,
            )
            for position, (
                kind,
                parameters,
                activation,
                weight,
                int4,
            ) in enumerate(operations)
        ),
    )


def _random_scan(seed, count=6):
    random = np.random.default_rng(seed)
    return _scan(
        *(
            (
                random.choice(["CONV_2D", "DEPTHWISE_CONV_2D"]),
                int(random.integers(10, 2000)),
                float(random.random() * 1e-5),
                float(random.random() * 1e-5),
                float(random.random() * 1e-3),
            )
            for _ in range(count)
        )
    )


def _best_by_trying_all(found, max_bytes):
    """Returns the least cost of all choices that are small enough."""
    operations = found.operations
    least = np.inf
    total = found.prefix_cost(len(operations))
    for prefix in range(len(operations) // 2 + 1):
        able = [x for x in operations[prefix:] if x.operation == "CONV_2D"]
        for chosen in itertools.product((0, 1), repeat=len(able)):
            int4 = [x for x, c in zip(able, chosen, strict=True) if c]
            for dynamic in (0, 1):
                last = operations[-1]
                if dynamic and (last.operation != "CONV_2D" or last in int4):
                    continue
                size = (
                    _BYTES
                    + 3 * sum(x.parameters for x in operations[:prefix])
                    - 0.5 * sum(x.parameters for x in int4)
                )
                cost = total + sum(x.int4_cost - x.weight_cost for x in int4)
                cost -= found.prefix_cost(prefix) if prefix else 0
                cost -= dynamic * last.activation_cost
                if size <= max_bytes and cost < least:
                    least = cost
    return least


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("max_bytes", [9_000, 10_000, 12_000])
def test_nothing_is_better_than_what_is_chosen(seed, max_bytes):
    found = _random_scan(seed)
    expected = _best_by_trying_all(found, max_bytes)
    choice = precision_choice.choose(found, _BYTES, max_bytes)
    if choice is None:
        assert expected == np.inf
        return
    assert choice.size_bytes <= max_bytes
    assert choice.cost == pytest.approx(expected, rel=1e-4)


def test_a_budget_that_nothing_meets_has_no_choice():
    assert precision_choice.choose(_random_scan(0), _BYTES, 100) is None


def test_the_front_gets_better_as_it_grows():
    found = _random_scan(3, count=12)
    front = precision_choice.front(found, _BYTES, 8)
    assert len(front) >= 5
    sizes = [x.size_bytes for x in front]
    assert sizes == sorted(set(sizes))
    assert np.all(np.diff([x.cost for x in front]) < 0)
    assert front[0].int4
    assert front[-1].float_prefix > 0


def test_a_model_of_one_layer_can_be_int4_or_int8():
    found = _scan(("FULLY_CONNECTED", 1000, 1e-5, 1e-6, 1e-3))
    small = precision_choice.choose(found, _BYTES, 9_600)
    assert small.int4 == ("t0",)
    large = precision_choice.choose(found, _BYTES, _BYTES)
    assert (large.int4, large.dynamic_last_layer) == ((), True)
