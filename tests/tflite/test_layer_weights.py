# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.tflite import handmade
from tflite_opt.records import compression, errors
from tflite_opt.tflite import facts, layer_weights

_ROWS = np.array([[0, 0, 1, 2], [0, 3, 4, 5], [0, 0, 6, 6]], "float32")


def _file(path, weight_name="model/dense/MatMul", output="model/dense/BiasAdd"):
    builder = handmade.Builder()
    builder.tensor((1, 4), name="x")
    builder.tensor((3, 4), name=weight_name, values=_ROWS)
    builder.tensor((1, 3), name=output)
    builder.operator("FULLY_CONNECTED", (0, 1, -1), (2,))
    builder.ends([0], [2])
    return builder.save(path / "model.tflite")


def _measure(path, **promise):
    promise = {"layer": "dense", "weight": "kernel"} | promise
    return layer_weights.measure(
        path,
        facts.read_facts(path, delegation=False, values=True),
        [compression.Promise(**promise)],
        {(promise["layer"], promise["weight"]): 12},
        ("conv", "dense"),
    )


@pytest.mark.parametrize(
    ("weight_name", "output"),
    [
        ("model/dense/MatMul", "model/dense/BiasAdd"),
        ("model/dense/MatMul", "PartitionedCall:0"),
        ("arith.constant", "model/dense/BiasAdd"),
    ],
    ids=["by both", "by its weight", "by its output"],
)
def test_a_layer_is_found_by_its_names(tmp_path, weight_name, output):
    (kept,) = _measure(_file(tmp_path, weight_name, output))
    assert kept.where == "tflite"
    assert kept.dtype == "float32"
    assert kept.num_elements == 12
    assert kept.zero_fraction == 5 / 12
    assert kept.unique_values == 7
    assert kept.channel_unique_values == 4


def test_blocks_of_zeros_are_counted(tmp_path):
    (kept,) = _measure(_file(tmp_path), zeros_of_block=(2, 4))
    assert kept.unfit_blocks == 1
    (kept,) = _measure(_file(tmp_path), zeros_of_block=(1, 2))
    # 1 2, 4 5 and 6 6.
    assert kept.unfit_blocks == 3


def test_a_layer_of_another_model_is_an_error(tmp_path):
    with pytest.raises(
        errors.VerificationError, match="weights of 'conv' must be in the"
    ):
        _measure(_file(tmp_path), layer="conv")


def test_a_rest_makes_no_block():
    zeros = np.array([[True, False, True, False, False]])
    assert layer_weights.unfit_blocks(zeros, 1, 2) == 0
    assert layer_weights.unfit_blocks(zeros, 2, 4) == 0
    assert layer_weights.unfit_blocks(zeros, 3, 4) == 1


def _fused(path, sizes):
    """Saves operations without names, with four weights of each size."""
    builder = handmade.Builder()
    before = builder.tensor((1, 4), name="x")
    for number, (units, zeros) in enumerate(sizes):
        gates = []
        for _ in range(4):
            values = np.ones((units, 4), "float32")
            values[:, :zeros] = 0
            gates.append(builder.tensor(values.shape, values=values))
        after = builder.tensor((1, units), name=f"tfl.lstm{number}")
        inputs = (before, *gates, *[-1] * 15)
        builder.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, (after,))
        before = after
    builder.ends([0], [before])
    return builder.save(path / "model.tflite")


def test_layers_whose_names_are_lost_are_found_by_order_and_size(tmp_path):
    path = _fused(tmp_path, [(3, 1), (5, 2), (3, 3)])
    promises = [
        compression.Promise(layer=name, weight="kernel")
        for name in ("first", "second", "third")
    ]
    kept = layer_weights.measure(
        path,
        facts.read_facts(path, delegation=False, values=True),
        promises,
        {("first", "kernel"): 48, ("second", "kernel"): 80}
        | {("third", "kernel"): 48},
        ("first", "second", "third"),
    )
    assert [x.zero_fraction for x in kept] == [0.25, 0.5, 0.75]
    assert [x.num_elements for x in kept] == [48, 80, 48]


def test_what_has_another_size_is_not_taken_for_a_layer(tmp_path):
    path = _fused(tmp_path, [(3, 1)])
    with pytest.raises(errors.VerificationError, match="weights of 'lstm'"):
        layer_weights.measure(
            path,
            facts.read_facts(path, delegation=False, values=True),
            [compression.Promise(layer="lstm", weight="kernel")],
            {("lstm", "kernel"): 80},
            ("lstm",),
        )
