# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests.tflite import handmade
from tflite_opt.records import errors
from tflite_opt.tflite import facts


def _model(tmp_path, signature=(-1, 4)):
    """Returns a dense layer, with an open batch unless told otherwise."""
    builder = handmade.dense()
    tensors = builder.model.subgraphs[0].tensors
    if signature:
        tensors[0].shapeSignature = list(signature)
        tensors[3].shapeSignature = [-1, 3]
    builder.signature("classify", {"image": 0}, {"scores": 3})
    return builder.save(tmp_path / "model.tflite")


def _read(path, **arguments):
    return facts.read_facts(path, delegation=False, **arguments)


def test_without_sizes_nothing_is_assumed(tmp_path):
    found = _read(_model(tmp_path))
    assert found.macs is None
    assert found.assumed_shapes == ()


@pytest.mark.parametrize(
    "arguments",
    [
        {"input_shapes": {"x": (5, 4)}},
        {"input_shapes": {"image": (5, 4)}},
        {"dynamic_dimension": 5},
        {"input_shapes": {"x": (5, 4)}, "dynamic_dimension": 7},
    ],
    ids=["tensor", "signature", "all", "both"],
)
def test_sizes_may_be_given_in_several_ways(tmp_path, arguments):
    found = _read(_model(tmp_path), **arguments)
    assert found.assumed_shapes == ((5, 4),)
    assert found.macs == 5 * 12
    # What is stored stays as it is.
    assert found.inputs[0].shape == (-1, 4)


def test_fixed_dimensions_may_be_changed(tmp_path):
    path = _model(tmp_path, signature=None)
    assert _read(path).macs == 12
    assert _read(path, input_shapes={"x": (6, 4)}).macs == 6 * 12


def test_fixed_shapes_are_not_touched_by_a_size_for_open_ones(tmp_path):
    found = _read(_model(tmp_path, signature=None), dynamic_dimension=9)
    assert found.assumed_shapes == ()
    assert found.macs == 12


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"input_shapes": {"y": (5, 4)}}, "'y'. Inputs of "),
        ({"input_shapes": {"x": (5,)}}, "must get 2 sizes"),
        ({"input_shapes": {"x": (0, 4)}}, "positive integer"),
        ({"input_shapes": {"x": (-1, 4, 1)}}, "must get 2 sizes"),
        ({"input_shapes": {"x": (2**31, 4)}}, "positive integer"),
        ({"dynamic_dimension": 0}, "positive integer"),
    ],
    ids=["name", "rank", "zero", "open", "huge", "dynamic"],
)
def test_refuses_what_does_not_fit(tmp_path, arguments, part):
    with pytest.raises(errors.InputError, match=re.escape(part)):
        _read(_model(tmp_path), **arguments)


def test_refuses_to_leave_some_dimensions_open(tmp_path):
    builder = handmade.Builder()
    inputs = [
        builder.tensor((1, 4), name=name, signature=(-1, 4)) for name in "ab"
    ]
    y = builder.tensor((1, 4), name="y", signature=(-1, 4))
    builder.operator("ADD", inputs, (y,))
    builder.ends(inputs, (y,))
    path = builder.save(tmp_path / "model.tflite")
    with pytest.raises(errors.InputError, match="All open dimensions"):
        _read(path, input_shapes={"a": (2, 4)})
