# SPDX-License-Identifier: Apache-2.0
"""Each rule on a file that breaks it and on one that does not."""

import dataclasses
import re

import pytest

from tests.lint import nets
from tflite_opt.lint import rule
from tflite_opt.records import delegation, errors
from tflite_opt.tflite import facts

_BREAKS = {
    "dynamic-depthwise": lambda: nets.convolution(
        "float32", "int8", depthwise=True
    ),
    "int16-activations": lambda: nets.single(
        "FULLY_CONNECTED", inputs="int16", weight="int8"
    ),
    "int4-convolution": lambda: nets.convolution("float32", "int4"),
    "int8-hard-swish": lambda: nets.single("HARD_SWISH", inputs="int8"),
    "left-in-float": lambda: nets.chain(
        ("FULLY_CONNECTED", "int8", "int8"),
        ("DEQUANTIZE", "float32"),
        ("ELU", "float32"),
        inputs="int8",
    ),
    "float-island": lambda: nets.chain(
        ("DEQUANTIZE", "float32"),
        ("ELU", "float32"),
        ("QUANTIZE", "int8"),
        inputs="int8",
    ),
    "signedness-conversion": lambda: nets.single(
        "QUANTIZE", inputs="uint8", outputs="int8"
    ),
    "float-interface": lambda: nets.chain(
        ("QUANTIZE", "int8"), ("RELU", "int8")
    ),
    "missing-signature": lambda: nets.single("RELU"),
    "flex-operation": lambda: nets.single("FlexErf"),
    "custom-operation": lambda: nets.single("MyOperation"),
    "duplicate-weights": lambda: nets.stored_twice(differ=0),
    "unexploited-zeros": lambda: nets.with_zeros(0.8),
    "sparse-inference": lambda: nets.mobile(),
}
_KEEPS = {
    "dynamic-depthwise": lambda: nets.convolution(
        "int8", "int8", depthwise=True
    ),
    "int16-activations": lambda: nets.single(
        "FULLY_CONNECTED", inputs="int8", weight="int8"
    ),
    "int4-convolution": lambda: nets.single("FULLY_CONNECTED", weight="int4"),
    "int8-hard-swish": lambda: nets.single("HARD_SWISH"),
    "left-in-float": lambda: nets.chain(
        ("FULLY_CONNECTED", "int8", "int8"),
        ("DEQUANTIZE", "float32"),
        inputs="int8",
    ),
    "float-island": lambda: nets.chain(
        ("DEQUANTIZE", "float32"), ("ELU", "float32"), inputs="int8"
    ),
    "signedness-conversion": lambda: nets.single("QUANTIZE", outputs="int8"),
    "float-interface": lambda: nets.single("RELU", inputs="int8"),
    "missing-signature": lambda: nets.with_signature(nets.single("RELU")),
    "flex-operation": lambda: nets.single("MyOperation"),
    "custom-operation": lambda: nets.single("FlexErf"),
    "duplicate-weights": lambda: nets.stored_twice(differ=1),
    "unexploited-zeros": lambda: nets.with_zeros(0.2),
    "sparse-inference": lambda: nets.mobile(zeros=0.2, encoded=False),
}


def _lint(net, tmp_path, **fields):
    path = net.save(tmp_path / "model.tflite")
    found = facts.read_facts(path, delegation=False, values=True)
    found = dataclasses.replace(found, **fields)
    return {item.rule: item for item in rule.lint(found, path)}


@pytest.mark.parametrize("name", sorted(_BREAKS))
def test_speaks_up_where_it_should(tmp_path, name):
    item = _lint(_BREAKS[name](), tmp_path)[name]
    assert item.message
    assert item.reason
    assert item.remedy


@pytest.mark.parametrize("name", sorted(_KEEPS))
def test_is_silent_where_nothing_is_wrong(tmp_path, name):
    assert name not in _lint(_KEEPS[name](), tmp_path)


def test_every_rule_has_both_files():
    assert set(_BREAKS) == set(_KEEPS)
    prepared = {"delegation-split", "one-runtime-only"}
    assert set(_BREAKS) | prepared == set(rule.names())


def _delegation(**fields):
    return delegation.Delegation(delegate="xnnpack", **fields)


@pytest.mark.parametrize(
    ("prepared", "message", "severity"),
    [
        ({"partitions": 2, "left_out": (1,)}, "1 ELU outside", "warning"),
        ({"partitions": 1, "left_out": (1,)}, "1 ELU outside", "note"),
        ({"partitions": 0, "left_out": (0, 1)}, "no operation", "warning"),
    ],
    ids=["split", "border", "nothing"],
)
def test_delegation_split_names_what_is_left_out(
    tmp_path, prepared, message, severity
):
    net = nets.chain(("RELU", "float32"), ("ELU", "float32"))
    net.operator("RELU", (2,), (2,))
    found = _lint(net, tmp_path, delegation=_delegation(**prepared))
    assert message in found["delegation-split"].message
    assert found["delegation-split"].severity == severity


@pytest.mark.parametrize(
    "prepared",
    [
        {"partitions": 1},
        {"partitions": 2},
        {"partitions": None, "delegate_error": "failed"},
    ],
    ids=["whole", "only borders", "not prepared"],
)
def test_delegation_split_is_silent_without_anything_left_out(
    tmp_path, prepared
):
    net = nets.chain(("RELU", "float32"), ("ELU", "float32"))
    found = _lint(net, tmp_path, delegation=_delegation(**prepared))
    assert "delegation-split" not in found


def test_one_runtime_only_says_which_fails_and_why(tmp_path):
    net = nets.chain(("RELU", "float32"), ("ELU", "float32"))
    prepared = _delegation(partitions=None, delegate_error="no such kernel")
    item = _lint(net, tmp_path, delegation=prepared)["one-runtime-only"]
    assert "with XNNPACK: no such kernel" in item.message
    prepared = _delegation(partitions=1)
    found = _lint(net, tmp_path, delegation=prepared)
    assert "one-runtime-only" not in found


def test_the_operations_are_named_by_their_place(tmp_path):
    item = _lint(_BREAKS["left-in-float"](), tmp_path)["left-in-float"]
    assert item.operators == ("0:2",)
    assert item.message == (
        "1 ELU in float beside 1 weighted operations in integers"
    )


@pytest.mark.parametrize(
    ("depthwise", "severity"), [(True, "note"), (False, "warning")]
)
def test_weights_left_in_float_are_named_by_operation(
    tmp_path, depthwise, severity
):
    net = nets.convolution("float32", "float32", depthwise=depthwise)
    y = net.data((1, 4))
    net.operator("FULLY_CONNECTED", (0, net.weight((4, 32), "int8"), -1), (y,))
    item = _lint(net, tmp_path)["left-in-float"]
    name = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    assert item.message == f"100% of the weights of {name} in float"
    assert item.severity == severity


def test_duplicates_are_counted_in_bytes(tmp_path):
    item = _lint(_BREAKS["duplicate-weights"](), tmp_path)
    assert "1 constants stored twice, 256 bytes" in (
        item["duplicate-weights"].message
    )


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        ({}, None),
        ({"channels": 1}, "on 3 channels"),
        ({"pad": False}, "symmetric padding"),
        ({"zeros": 0.55}, "more than 2/3 zeros"),
        ({"encoded": False}, "sparse encoding"),
        ({"pooled": False}, "global average pooling"),
    ],
    ids=lambda value: str(value),
)
def test_sparse_inference_says_which_condition_fails(
    tmp_path, change, condition
):
    item = _lint(nets.mobile(**change), tmp_path)["sparse-inference"]
    if condition is None:
        assert "can apply on Arm" in item.message
        assert "NO" not in item.reason
    else:
        assert re.search(f"cannot apply: not .*{condition}", item.message)
        assert item.reason.count("NO") == 1
    assert item.severity == "note"


def test_warnings_come_before_notes(tmp_path):
    net = nets.chain(("QUANTIZE", "int8"), ("HARD_SWISH", "int8"))
    severities = [item.severity for item in _lint(net, tmp_path).values()]
    assert severities == sorted(severities, reverse=True)


def test_a_silenced_rule_says_nothing(tmp_path):
    path = nets.single("RELU").save(tmp_path / "model.tflite")
    found = facts.read_facts(path, delegation=False)
    assert rule.lint(found, path, silenced=["missing-signature"]) == ()


def test_an_unknown_rule_lists_the_known_ones(tmp_path):
    path = nets.single("RELU").save(tmp_path / "model.tflite")
    found = facts.read_facts(path, delegation=False)
    with pytest.raises(errors.InputError, match="Known: .*missing-signature"):
        rule.lint(found, path, silenced=["typo"])
