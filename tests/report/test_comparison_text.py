# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests import factories
from tflite_opt.records import benchmark, comparison
from tflite_opt.report import comparison_text

_RATIO = comparison.LatencyRatio(
    value=1.0523,
    low=1.0312,
    high=1.0737,
    margin=0.03,
    verdict="slower",
    p_value=0.01,
    pairing="rounds",
    num_launches=10,
    launches_needed=None,
)


def _found(name="int8", **fields):
    values = {
        "baseline": factories.tflite("float32"),
        "candidate": factories.tflite(name),
        "device": factories.device(),
        "options": benchmark.RuntimeOptions(),
        "runtime": "ai-edge-litert 2.3.0",
        "latency": _RATIO,
        "quantities": (
            comparison.Quantity(
                name="size_bytes", baseline=4000, candidate=1000
            ),
            comparison.Quantity(
                name="gzip_bytes", baseline=None, candidate=500
            ),
            comparison.Quantity(
                name="peak_memory_bytes", baseline=50_000_000, candidate=0
            ),
            comparison.Quantity(name="p90_ms", baseline=0.5, candidate=0.25),
        ),
    }
    return comparison.Comparison(**values | fields)


def test_a_single_model_is_shown_with_all_its_numbers():
    text = comparison_text.describe([_found(drop=factories.drop(0.002))])
    assert "int8 against float32" in text
    assert "1.052x (1.031-1.074)" in text
    assert "slower" in text
    assert "not provable with 450 examples" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["size", "bytes", "4,000", "1,000", "0.25x"] in lines
    assert ["gzip", "bytes", "-", "500", "-"] in lines
    assert ["p90", "ms", "0.5", "0.25", "0.5x"] in lines
    assert "10 launches of each, in turns" in text
    assert "margin 3.00%" in text
    assert "noise floor" not in text


def test_several_models_are_a_line_each_and_share_their_warnings():
    found = [
        _found("a", warnings=("Same.", "Own."), noise_floor=0.012),
        _found("b", warnings=("Same.",)),
    ]
    lines = comparison_text.describe(found).splitlines()
    assert lines[-2:] == ["Same.", "a: Own."]
    assert "noise floor 1.20%" in lines[-3]
    assert not any("p90" in line for line in lines)


def test_a_sweep_names_the_number_of_threads_in_each_line():
    found = [
        _found(options=benchmark.RuntimeOptions(num_threads=count))
        for count in (1, 4)
    ]
    lines = comparison_text.describe(found).splitlines()
    assert lines[2].startswith("int8 against float32, num_threads=1 ")
    assert lines[3].startswith("int8 against float32, num_threads=4 ")
    assert "num_threads" not in lines[-1]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"launches_needed": 24}, "about 24 launches of each would decide it"),
        ({}, "too close to the margin, or too noisy"),
        ({"low": None, "high": None}, "too few launches for an interval"),
    ],
)
def test_an_open_verdict_says_what_would_close_it(fields, text):
    found = dataclasses.replace(_RATIO, verdict="inconclusive", **fields)
    assert comparison_text.verdict(found) == f"inconclusive: {text}"


def test_without_an_interval_the_ratio_stands_alone():
    found = dataclasses.replace(_RATIO, low=None, high=None)
    assert comparison_text.ratio(found) == "1.052x"
