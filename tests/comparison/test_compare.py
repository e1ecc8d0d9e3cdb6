# SPDX-License-Identifier: Apache-2.0
import dataclasses
import re

import pytest

from tests import factories
from tests.comparison import evidence
from tflite_opt.comparison import compare, stored
from tflite_opt.records import benchmark, comparison, errors

_OPTIONS = compare.Options()


def _pair(factor=1.0, **fields):
    return (
        evidence.evidence("old"),
        evidence.evidence("new", factor, turn=1, **fields),
    )


@pytest.mark.parametrize(
    ("factor", "verdict", "is_worse"),
    [
        (1.1, "slower", True),
        (0.8, "faster", False),
        (1.0, "no difference", False),
    ],
)
def test_a_pair_gets_ratio_and_numbers(tmp_path, factor, verdict, is_worse):
    (found,) = compare.compare([_pair(factor)], _OPTIONS)
    assert found.latency.verdict == verdict
    assert found.latency.pairing == "rounds"
    assert found.is_worse is is_worse
    assert not found.is_inconclusive
    numbers = {x.name: (x.baseline, x.candidate) for x in found.quantities}
    assert numbers["median_ms"] == (1.0, factor)
    assert numbers["size_bytes"] == (1000, 1000)
    assert numbers["peak_memory_bytes"] == (1_000_000, 1_000_000)
    assert found.drop is None
    path = tmp_path / "found.json"
    found.save(path)
    assert comparison.Comparison.load(path) == found


def test_accuracy_is_paired_where_both_saw_the_same_examples(tmp_path):
    before, after = _pair()
    old = evidence.evaluated(tmp_path, "old", wrong=10)
    new = evidence.evaluated(tmp_path, "new", wrong=60)
    pair = (
        dataclasses.replace(before, evaluation=old),
        dataclasses.replace(after, evaluation=new),
    )
    (found,) = compare.compare([pair], _OPTIONS)
    assert found.drop.value == pytest.approx(0.05)
    assert found.drop.verdict == "exceeded"
    assert found.is_worse
    loose = compare.Options(max_accuracy_drop=0.05)
    (found,) = compare.compare([pair], loose)
    assert not found.is_worse
    assert found.is_inconclusive


def test_different_examples_are_said_not_compared(tmp_path):
    before, after = _pair()
    old = evidence.evaluated(tmp_path, "old", wrong=1)
    new = dataclasses.replace(old, data_fingerprint="g", dataset="mnist")
    (found,) = compare.compare(
        [
            (
                dataclasses.replace(before, evaluation=old),
                dataclasses.replace(after, evaluation=new),
            )
        ],
        _OPTIONS,
    )
    assert found.drop is None
    assert found.warnings == (
        "Accuracy was not compared: digits/test and mnist/test are different "
        "examples.",
    )


def test_launches_of_another_session_and_warnings_are_told():
    launches = factories.launches([1.0] * 9 + [1.01], start_s=9999)
    after = evidence.measured("new", launches=launches, warnings=("Noisy.",))
    pair = (evidence.evidence("old"), evidence.evidence("new", result=after))
    (found,) = compare.compare([pair], _OPTIONS)
    assert found.latency.pairing == "none"
    assert found.warnings[0].startswith("Launches did not take turns:")
    assert found.warnings[1] == "new: Noisy."


def test_different_conditions_are_refused():
    device = factories.device(model="phone")
    after = evidence.measured("new", turn=1, device=device)
    pair = (evidence.evidence("old"), evidence.evidence("new", result=after))
    with pytest.raises(errors.InputError, match="device.model=cpu against"):
        compare.compare([pair], _OPTIONS)


def test_a_model_that_was_not_measured_is_refused_with_the_reason():
    failure = benchmark.BenchmarkFailure(
        artifact=factories.tflite("new"), message="It crashed."
    )
    with pytest.raises(
        errors.InputError,
        match="candidate must be measured. Received: 'new': It crashed.",
    ):
        compare.compare([_pair(result=None, failure=failure)], _OPTIONS)
    with pytest.raises(errors.InputError, match="'new': no benchmark."):
        compare.compare([_pair(result=None)], _OPTIONS)


def test_the_noise_floor_is_kept_and_a_margin_below_it_refused():
    again = evidence.measured("old.again", turn=1)
    (found,) = compare.compare([_pair()], _OPTIONS, again)
    assert 0.001 < found.noise_floor < 0.02
    small = compare.Options(margin=found.noise_floor / 2)
    with pytest.raises(
        errors.InputError,
        match=re.escape(f"noise floor {found.noise_floor:.2%}. Raise --margin"),
    ):
        compare.compare([_pair()], small, again)


def test_models_are_matched_by_name_in_the_order_of_the_baseline():
    old = {name: evidence.evidence(name) for name in ("c", "a", "b")}
    new = {name: evidence.evidence(name) for name in ("a", "c", "d")}
    pairs = compare.match(old, new)
    assert [(a.artifact.name, b.artifact.name) for a, b in pairs] == [
        ("c", "c"),
        ("a", "a"),
    ]
    (alone,) = compare.match({"a": old["a"]}, {"d": new["d"]})
    assert alone == (old["a"], new["d"])
    with pytest.raises(errors.InputError, match="Received: b, c and d, a."):
        compare.match(
            {x: old[x] for x in "bc"},
            {"d": new["d"], "a": new["a"]},
        )


def test_phones_are_matched_with_themselves():
    def measured(*keys):
        results = [
            evidence.measured(
                "int8", device=factories.device(device_key=key, model=key)
            )
            for key in keys
        ]
        return {
            "int8": stored.Evidence(
                artifact=results[0].artifact,
                result=results[0],
                sweep=tuple(results[1:]),
            )
        }

    pairs = compare.match(measured("a", "b"), measured("b", "a"))
    keys = [[x.result.device.model for x in pair] for pair in pairs]
    assert keys == [["a", "a"], ["b", "b"]]


def test_sweeps_are_matched_by_number_of_threads():
    def swept(counts):
        results = [
            evidence.measured(
                "int8",
                options=benchmark.RuntimeOptions(num_threads=count),
            )
            for count in counts
        ]
        return {
            "int8": evidence.evidence(
                "int8", result=results[0], sweep=tuple(results[1:])
            )
        }

    pairs = compare.match(swept([1, 2, 4]), swept([4, 1]))
    assert [
        [side.result.options.num_threads for side in pair] for pair in pairs
    ] == [[1, 1], [4, 4]]
    (alone,) = compare.match(swept([1]), swept([2]))
    with pytest.raises(errors.InputError, match="num_threads=1 against 2"):
        compare.compare([alone], _OPTIONS)


@pytest.mark.parametrize("margin", [0.0, 1.0, -0.1, 3.0, float("nan")])
def test_rejects_a_margin_that_is_no_fraction(margin):
    with pytest.raises(
        errors.InputError, match=re.escape(f"Received: margin={margin}")
    ):
        compare.Options(margin=margin)


def test_rejects_a_limit_that_is_no_fraction():
    with pytest.raises(errors.InputError, match="max_accuracy_drop=2"):
        compare.Options(max_accuracy_drop=2)
