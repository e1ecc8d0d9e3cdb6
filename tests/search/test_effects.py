# SPDX-License-Identifier: Apache-2.0
import collections
import itertools

import numpy as np

from tflite_opt.search import effects

_REFERENCE = (0.01, 1.25, 1000.0)
_LOSSES = {"none": 0.0, "prune": 0.006, "prune_more": 0.05}
_SIZES = {"none": 1.0, "prune": 0.6, "prune_more": 0.3}
_RECIPES = [
    {"conversion": conversion, "pruning": pruning, "fix": fix}
    for conversion, pruning, fix in itertools.product(
        ("float32", "int8"), _LOSSES, ("none", "fix")
    )
]


def _seen(recipe):
    is_int8 = recipe["conversion"] == "int8"
    loss = _LOSSES[recipe["pruning"]] + 0.008 * is_int8
    return effects.Observation(
        parameters=recipe,
        drop=loss - 0.006 * (recipe["fix"] == "fix"),
        latency=0.4 if is_int8 else 1.0,
        size=(300 if is_int8 else 1000) * _SIZES[recipe["pruning"]],
    )


def _alone(**choice):
    plain = {"conversion": "float32", "pruning": "none", "fix": "none"}
    return _seen(plain | choice)


def test_mostly_finds_the_combination_that_single_choices_promise():
    observations = [
        _alone(),
        _alone(conversion="int8"),
        _alone(pruning="prune"),
        _alone(pruning="prune_more"),
        _alone(fix="fix"),
    ]
    tried = [x.parameters for x in observations]
    candidates = [x for x in _RECIPES if x not in tried]
    found = collections.Counter(
        effects.best(
            candidates, observations, _REFERENCE, np.random.default_rng(seed)
        )
        for seed in range(40)
    )
    (best, times), *_ = found.most_common(1)
    # Pruning as well would be within the limit, but for a smaller volume.
    assert candidates[best] == {
        "conversion": "int8",
        "pruning": "none",
        "fix": "fix",
    }
    assert times >= 20
    assert all(candidates[i]["pruning"] != "prune_more" for i in found)


def test_nothing_within_reach_gives_the_nearest():
    observations = [_alone(), _alone(conversion="int8")]
    tight = (0.01, 1.25, 100.0)
    found = effects.best(
        [{"conversion": "int8"}, {"conversion": "float32"}],
        observations,
        tight,
        np.random.default_rng(0),
    )
    assert found == 0


def test_a_loss_that_is_known_alone_counts():
    lost = effects.Observation(
        parameters={"conversion": "int8", "pruning": "prune"}, drop=0.3
    )
    candidates = [
        {"conversion": "int8", "pruning": "prune", "fix": "fix"},
        {"conversion": "int8", "pruning": "none", "fix": "fix"},
    ]
    found = effects.best(
        candidates,
        [_alone(), _alone(conversion="int8"), lost],
        _REFERENCE,
        np.random.default_rng(0),
    )
    assert found == 1


def test_what_nobody_tried_is_tried():
    candidates = [
        {"conversion": "float32", "pruning": "none", "fix": "none"},
        {"conversion": "float32", "pruning": "none", "fix": "fix"},
    ]
    found = {
        effects.best(
            candidates, [_alone()], _REFERENCE, np.random.default_rng(seed)
        )
        for seed in range(20)
    }
    assert 1 in found
