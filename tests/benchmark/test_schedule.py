# SPDX-License-Identifier: Apache-2.0
from tests import factories
from tflite_opt.benchmark import schedule
from tflite_opt.records import benchmark, errors

_ARTIFACTS = [factories.tflite(name) for name in ("a", "b", "c")]


def _launched(seed=0, failing=None):
    seen = []

    def launch_once(artifact, index):
        seen.append((artifact.name, index))
        if artifact.name == failing:
            raise errors.BenchmarkError(f"{failing} failed")

    options = benchmark.RuntimeOptions(launches=4, seed=seed)
    failures = schedule.interleave(_ARTIFACTS, options, launch_once)
    return seen, failures


def test_each_block_holds_all_in_an_order_of_its_own():
    seen, failures = _launched()
    blocks = [seen[i : i + 3] for i in range(0, 12, 3)]
    for index, block in enumerate(blocks):
        assert sorted(block) == [(name, index) for name in "abc"]
    assert len({tuple(name for name, _ in block) for block in blocks}) > 1
    assert failures == {}


def test_the_order_follows_from_the_seed():
    assert _launched(seed=1) == _launched(seed=1)
    assert _launched(seed=1) != _launched(seed=2)


def test_what_failed_is_not_launched_again_and_others_are():
    seen, failures = _launched(failing="b")
    assert failures == {"b": "b failed"}
    assert [name for name, _ in seen].count("b") == 1
    assert len(seen) == 9
