# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests import factories
from tflite_opt.records import delegation, facts, weight_values
from tflite_opt.report import facts_comparison, facts_text, operations_text


def _values(zeros, unique):
    spread = weight_values.Spread(minimum=0, median=0, maximum=0)
    return weight_values.WeightValues(
        zeros=zeros,
        unique_values=unique,
        channel_axis=0,
        num_channels=4,
        zero_channels=0,
        channel_zero_fraction=spread,
        channel_unique_values=spread,
    )


def _operator(index, name, **fields):
    values = {
        "subgraph": 0,
        "index": index,
        "name": name,
        "version": 1,
        "is_custom": False,
        "inputs": (0,),
        "outputs": (1,),
        "weights": (),
        "macs": 0,
    }
    return facts.OperatorFacts(**values | fields)


def _model(**fields):
    weight = factories.tensor(
        0, role="weight", dtype="int8", values=_values(4, 9)
    )
    output = factories.tensor(1, role="output", shape=(1, -1))
    operators = (
        _operator(0, "CONV_2D", weights=(0,), macs=1500, parameters=20),
        _operator(1, "SOFTMAX"),
        _operator(2, "CONV_2D", macs=500),
    )
    values = {
        "operators": operators,
        "parameters": 20,
        "bytes_by_role": {"weights": 600, "names": 400},
        "bytes_by_dtype": {"int8": 600},
        "sparse_encoded_bytes": 900,
        "delegation": delegation.Delegation(
            delegate="xnnpack",
            partitions=2,
            delegated=((0,), (2,)),
            left_out=(1,),
            delegate_memory=_memory(640, 0),
            builtin_memory=_memory(1280, 64),
        ),
    }
    inside = dataclasses.replace(output, subgraph=1)
    found = factories.model_facts(weight, output, inside)
    return dataclasses.replace(found, **values | fields)


def _memory(arena_bytes, persistent_bytes):
    return delegation.TensorMemory(
        arena_bytes=arena_bytes, persistent_bytes=persistent_bytes
    )


def _row(text, label):
    (line,) = [x for x in text.splitlines() if x.startswith(label)]
    return line[len(label) :].split()


def test_summary():
    text = facts_text.describe("model", _model())
    for part in (
        "1,000 bytes, 500 after gzip, about 900 sparse-encoded",
        "MACs          2,000\n",
        "parameters    20\n",
        "bytes         weights 600, names 400\n",
        "100.00% quantized to at most 8 bits, 25.00% zeros\n",
        "2 partitions; leaves out 1 of 3 operations: 1 SOFTMAX\n",
        "1,280 bytes with builtin kernels and 64 that persist, 640 outside "
        "of XNNPACK's partitions\n",
    ):
        assert part in text
    assert _row(text, "CONV_2D")[2] == "100.00%"


def test_summary_says_what_is_unknown():
    operators = (
        _operator(0, "CONV_2D", macs=None),
        _operator(1, "FULLY_CONNECTED", macs=7, in_loop=True),
    )
    text = facts_text.describe("model", _model(operators=operators))
    assert (
        "MACs          7, loops as one turn, and those of 1 operation of open "
        "size or custom" in text
    )
    assert _row(text, "CONV_2D")[2] == "?"


def test_summary_shows_given_shapes():
    text = facts_text.describe("model", _model(assumed_shapes=((8, 4), ())))
    assert "input shapes  8x4, scalar, as given" in text


def test_operations_are_listed_in_order():
    operators = (
        *_model().operators,
        _operator(0, "ADD", subgraph=1, in_loop=True),
    )
    text = operations_text.describe(_model(operators=operators))
    lines = text.splitlines()[2:]
    # The last column is the name of the output.
    assert {line.split()[-1] for line in lines} == {"tensor_1"}
    assert [line.split()[:-1] for line in lines] == [
        ["0", "CONV_2D", "1x?", "1,500", "20", "int8", "25.00%", "9", "yes"],
        ["1", "SOFTMAX", "1x?", "0", "0", "-", "-", "-", "no"],
        ["2", "CONV_2D", "1x?", "500", "0", "-", "-", "-", "yes"],
        [
            "1:0",
            "ADD",
            "(in",
            "a",
            "loop)",
            "1x?",
            "0",
            "0",
            "-",
            "-",
            "-",
            "?",
        ],
    ]


def test_operations_without_delegation():
    text = operations_text.describe(_model(delegation=None))
    assert all(line.split()[-2] == "?" for line in text.splitlines()[2:])


def test_two_files_show_how_they_differ():
    second = _model(
        size_bytes=250,
        bytes_by_role={"weights": 150, "quantization": 100},
        sparse_encoded_bytes=None,
        min_runtime_version="1.14.0",
    )
    text = facts_comparison.compare(["a", "b"], [_model(), second])
    assert _row(text, "size, bytes") == ["1,000", "250", "-750", "0.25x"]
    assert _row(text, "after gzip") == ["500", "500"]
    assert _row(text, "sparse-encoded, about") == ["900", "?", "?", "?"]
    assert _row(text, "bytes: weights") == ["600", "150", "-450", "0.25x"]
    assert _row(text, "bytes: quantization") == ["0", "100", "+100"]
    assert _row(text, "MACs") == ["2,000", "2,000"]
    assert _row(text, "zero weights") == ["25.00%", "25.00%"]
    assert _row(text, "tensor memory, builtin") == ["1,344", "1,344"]
    assert _row(text, "left out") == ["1", "1"]
    assert _row(text, "CONV_2D") == ["2", "2"]
    assert _row(text, "min runtime") == ["not", "stated", "1.14.0"]


def test_fractions_differ_by_points():
    floating = factories.tensor(0, role="weight")
    second = factories.model_facts(floating)
    text = facts_comparison.compare(["a", "b"], [_model(), second])
    assert _row(text, "quantized weights") == [
        "100.00%",
        "0.00%",
        "-100.00",
        "points",
    ]


@pytest.mark.parametrize("count", [3, 4])
def test_more_files_have_a_column_each(count):
    names = [f"file{i}" for i in range(count)]
    text = facts_comparison.compare(names, [_model()] * count)
    assert text.splitlines()[0].split() == names
    assert _row(text, "size, bytes") == ["1,000"] * count


def test_what_no_file_has_is_left_out():
    found = [_model(delegation=None, sparse_encoded_bytes=None)] * 2
    text = facts_comparison.compare(["a", "b"], found)
    assert "partitions" not in text
    assert "sparse-encoded" not in text
