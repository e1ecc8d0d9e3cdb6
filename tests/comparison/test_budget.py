# SPDX-License-Identifier: Apache-2.0
import pathlib
import re

import pytest

from tflite_opt.comparison import budget, budget_units
from tflite_opt.records import errors

_EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "budget.yaml"


def _load(tmp_path, text):
    path = tmp_path / "budget.yaml"
    path.write_text(text, encoding="utf-8")
    return budget.load(path)


def _limits(tmp_path, text):
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    return _load(tmp_path, f"models:\n  int8:\n{lines}\n").models["int8"]


def test_the_example_shows_every_key():
    found = budget.load(_EXAMPLE)
    assert list(found.models) == ["*", "int8"]
    assert found.models["*"] == budget.Limits(
        peak_memory_bytes=200_000_000, min_runtime_version="2.17.0"
    )
    assert found.models["int8"] == budget.Limits(
        size_bytes=50_000,
        latency_ms=(
            budget.LatencyLimit(max_ms=0.5, num_threads=1),
            budget.LatencyLimit(max_ms=0.09, device="AMD EPYC*", num_threads=1),
        ),
        accuracy={"top1": 0.95},
        partitions=1,
        quantized_weight_fraction=0.99,
        relative=budget.Relative(
            latency=0.03,
            accuracy=budget_units.Loss(value=0.003, unit="points"),
            size=0.01,
        ),
    )
    text = _EXAMPLE.read_text()
    assert all(f"{key}:" in text for key in budget._LIMITS)
    assert all(f"{key}:" in text for key in budget._RELATIVE)


def test_limits_of_every_model_come_besides_its_own(tmp_path):
    found = _load(
        tmp_path,
        'models: {"*": {partitions: 1}, a: {size_bytes: 9}, '
        "b: {partitions: 2}}",
    )
    assert found.of("c") == [budget.Limits(partitions=1)]
    assert found.of("b") == [
        budget.Limits(partitions=1),
        budget.Limits(partitions=2),
    ]
    assert not found.has_relative("size")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size_bytes: 46000", {"size_bytes": 46000}),
        ("size_bytes: 46 KiB", {"size_bytes": 46 * 1024}),
        ("size_bytes: 1.5MB", {"size_bytes": 1_500_000}),
        ("latency_ms: 2", {"latency_ms": (budget.LatencyLimit(max_ms=2.0),)}),
        (
            "latency_ms: 1.5 s",
            {"latency_ms": (budget.LatencyLimit(max_ms=1500.0),)},
        ),
        ("accuracy: {mae: 1.25}", {"accuracy": {"mae": 1.25}}),
        ("partitions: 0", {"partitions": 0}),
        ("min_runtime_version: 2.10.0", {"min_runtime_version": "2.10.0"}),
        (
            "relative: {accuracy: 0.5 %}",
            {
                "relative": budget.Relative(
                    accuracy=budget_units.Loss(value=0.005, unit="%")
                )
            },
        ),
        ("relative: {size: 0 %}", {"relative": budget.Relative(size=0.0)}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_values_come_with_their_units(tmp_path, text, expected):
    assert _limits(tmp_path, text) == budget.Limits(**expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "size: 5",
            "`models.int8` must have known keys only: size_bytes, latency_ms, "
            "accuracy, peak_memory_bytes, partitions, "
            "quantized_weight_fraction, min_runtime_version, relative. "
            "Received: 'size'.",
        ),
        (
            "relative: {memory: 3 %}",
            "`models.int8.relative` must have known keys only: latency, "
            "accuracy, size. Received: 'memory'.",
        ),
        (
            "latency_ms: [{max: 3, cpu: x}]",
            "`models.int8.latency_ms[0]` must have known keys only: max, "
            "device, num_threads. Received: 'cpu'.",
        ),
        ("latency_ms: [{device: x}]", "a limit with the key `max`. Received"),
        ("latency_ms: 3 min", "unit of us, ms, s. Received: '3 min'."),
        ("latency_ms: 0", "a positive number of ms"),
        ("latency_ms: .inf", "Received: inf."),
        ("latency_ms: [{max: 1, num_threads: 0}]", "at least 1. Received: 0."),
        (
            "size_bytes: 46 KB",
            "B, kB, MB, GB, KiB, MiB, GiB. Received: '46 KB'",
        ),
        ("size_bytes: true", "Received: True."),
        ("size_bytes: 0", "a whole number of bytes, at least 1. Received: 0."),
        ("size_bytes: 0.5 B", "a whole number of bytes, at least 1"),
        ("size_bytes: [1]", "Received: [1]."),
        ("size_bytes: -5 kB", "Received: '-5 kB'."),
        ("partitions: 1.5", "a whole number, at least 0. Received: 1.5."),
        ("quantized_weight_fraction: 99", "a fraction in [0, 1]"),
        ("quantized_weight_fraction: 101 %", "such as 95 %. Received: '101 %'"),
        ("accuracy: 0.97", "a mapping from metric to value. Received: 0.97."),
        ("accuracy: {top1: high}", "`models.int8.accuracy.top1` must be"),
        ("accuracy: {1: 0.5}", "must be a text. Received: 1."),
        (
            "min_runtime_version: 2.10",
            "a version in quotes, such as '2.10.0'. Received: 2.1.",
        ),
        ("relative: {latency: 0.03}", "such as +3 %. Received: 0.03."),
        ("relative: {latency: -3 %}", "such as +3 %. Received: '-3 %'."),
        ("relative: {latency: 0 %}", "above 0 %: no measurement excludes"),
        ("relative: {size: 150 %}", "a percentage below 100"),
        ("relative: {accuracy: +0.3 points}", "Received: '+0.3 points'."),
        ("relative: {accuracy: 0.3}", "as 0.3 points. Received: 0.3."),
        ("relative: 3", "a mapping of latency, accuracy, size. Received: 3."),
        ("partitions: 1\npartitions: 2", "the key 'partitions' twice"),
    ],
    ids=lambda value: value.splitlines()[-1],
)
def test_what_is_not_understood_is_refused(tmp_path, text, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        _limits(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`budget` must be a mapping of models. Received: None."),
        ("[1]", "`budget` must be a mapping of models. Received: [1]."),
        ("limits: {}", "known keys only: models. Received: 'limits'."),
        ("models: {}", "at least one model, below `models`"),
        ("models: 3", "a mapping from model to limits. Received: 3."),
        ("models: {1: {partitions: 1}}", "must be a text. Received: 1."),
        ("models: {int8: {}}", "`models.int8` must be a mapping of size_bytes"),
        ("models: {int8: {", "must be YAML. Received:"),
        ("models: 2026-13-45", "must be YAML. Received: month must be"),
        ("models: !!python/name:os.system x", "must be YAML. Received:"),
        ("[" * 5000, "must be YAML. Received:"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_no_budget_is_refused(tmp_path, text, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        _load(tmp_path, text)


def test_a_budget_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(errors.InputError, match="Cannot read the budget"):
        budget.load(tmp_path / "none.yaml")
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(errors.InputError, match="must be YAML"):
        budget.load(path)
