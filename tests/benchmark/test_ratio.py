# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from tests import factories
from tflite_opt.benchmark import ratio

_NOISE = np.random.default_rng(0).normal(0, 0.01, (2, 10))


def _pair(factor=1.0, noise=_NOISE, **launches):
    return ratio.Pair(
        baseline=factories.launches(np.exp(noise[0]), turn=0),
        candidate=factories.launches(
            factor * np.exp(noise[1]), turn=1, **launches
        ),
    )


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        (1.0, "no difference"),
        (1.1, "slower"),
        (0.9, "faster"),
        (1.03, "inconclusive"),
    ],
)
def test_the_verdict_is_where_the_whole_interval_lies(factor, verdict):
    (found,) = ratio.compare([_pair(factor)])
    assert found.verdict == verdict
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(factor, rel=0.01)
    if verdict == "slower":
        assert found.low > 1.03
    if verdict == "faster":
        assert found.high < 0.97
    if verdict == "no difference":
        assert 0.97 < found.low < found.high < 1.03


def test_a_known_factor_between_equal_launches_is_found_exactly():
    noise = np.tile(_NOISE[0], (2, 1))
    (found,) = ratio.compare([_pair(1.05, noise)])
    assert found.value == pytest.approx(1.05)
    assert found.high - found.low < 1e-9
    assert found.verdict == "slower"


def test_launches_that_took_turns_are_pairs():
    # Both drift by 50 %; within a round they differ by 4 %.
    drift = np.linspace(0, 0.5, 10) + _NOISE / 20
    paired = _pair(1.04, drift)
    apart = _pair(1.04, drift, start_s=10_000)
    assert paired.pairing == "rounds"
    assert apart.pairing == "none"
    (found,) = ratio.compare([paired])
    assert found.verdict == "slower"
    assert found.pairing == "rounds"
    (found,) = ratio.compare([apart])
    assert found.verdict == "inconclusive"


def test_different_numbers_of_launches_are_no_pairs():
    pair = ratio.Pair(
        baseline=factories.launches(np.exp(_NOISE[0]), turn=0),
        candidate=factories.launches(1.2 * np.exp(_NOISE[1][:6]), turn=1),
    )
    assert pair.pairing == "none"
    (found,) = ratio.compare([pair])
    assert found.num_launches == 6
    assert found.verdict == "slower"


def test_an_open_verdict_says_how_many_launches_would_close_it():
    (found,) = ratio.compare([_pair(1.05, 5 * _NOISE)])
    assert found.verdict == "inconclusive"
    width = np.log(found.high / found.low) / 2
    distance = abs(np.log(found.value) - np.log(1.03))
    expected = max(11, int(np.ceil(10 * (width / distance) ** 2)))
    assert found.launches_needed == (expected if expected <= 1000 else None)
    more = np.random.default_rng(1).normal(0, 0.05, (2, 400))
    (decided,) = ratio.compare([_pair(1.08, more)])
    assert decided.verdict == "slower"
    assert decided.launches_needed is None


def test_no_number_of_launches_is_promised_beyond_a_thousand():
    noise = 20 * _NOISE
    noise = noise - (noise[1] - noise[0]).mean() / 2 * np.array([[-1], [1]])
    (found,) = ratio.compare([_pair(1.0301, noise)])
    assert found.verdict == "inconclusive"
    assert found.launches_needed is None


def test_three_launches_say_nothing():
    (found,) = ratio.compare([_pair(2.0, _NOISE[:, :3])])
    assert found.verdict == "inconclusive"
    assert (found.low, found.high, found.p_value) == (None, None, None)
    assert found.value == pytest.approx(2.0, rel=0.02)


def test_holm_divides_the_level_by_what_is_left():
    # 0.001 <= 0.05/3, then 0.02 <= 0.05/2, then 0.04 <= 0.05.
    assert ratio.holm_levels([0.02, 0.001, 0.04]) == [
        0.05 / 2,
        0.05 / 3,
        0.05,
    ]
    # 0.03 > 0.05/2 stands, so 0.04 stands at the same level.
    assert ratio.holm_levels([0.03, 0.001, 0.04]) == [
        0.05 / 2,
        0.05 / 3,
        0.05 / 2,
    ]
    assert ratio.holm_levels([]) == []


def test_one_of_many_needs_more_to_be_called_different():
    noise = 2 * _NOISE
    alone = next(
        factor
        for factor in np.arange(1.03, 1.2, 0.002)
        if ratio.compare([_pair(factor, noise)])[0].verdict == "slower"
    )
    edge = _pair(alone, noise)
    same = _pair(1.0, noise)
    # Equal ones cannot be called different, but they are looked at.
    found = ratio.compare([edge] + [same] * 9)
    assert found[0].verdict == "inconclusive"
    assert found[0].low > 1.03
    assert found[0].launches_needed > 10
    assert [x.verdict for x in found[1:]] == [
        ratio.compare([same])[0].verdict
    ] * 9


def test_each_pair_has_its_own_margin():
    pairs = [
        dataclasses.replace(_pair(1.1), margin=margin) for margin in (0.03, 0.3)
    ]
    assert [found.verdict for found in ratio.compare(pairs)] == [
        "slower",
        "no difference",
    ]


def test_the_noise_floor_is_the_farther_bound_of_a_against_a():
    pair = _pair()
    (found,) = ratio.compare([pair])
    expected = max(found.high, 1 / found.low) - 1
    assert ratio.noise_floor(pair) == pytest.approx(expected)
    assert ratio.noise_floor(_pair(noise=3 * _NOISE)) > 2 * expected
    assert ratio.noise_floor(_pair(noise=_NOISE[:, :3])) is None
