# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.post_training import models
from tflite_opt.post_training import equalization, even_factors
from tflite_opt.techniques import equalization as technique
from tflite_opt.tflite import constants, flatbuffer, interpreter

_FACTORS = np.array([1.0, -2.0, 0.5, 300.0, 1.5, 0.0], np.float32)


def _normalized(network, factors=_FACTORS, activation=models.NONE):
    """Adds a multiplication and an addition of a constant for each channel."""
    for kind, values in (("MUL", factors), ("ADD", np.ones_like(factors))):
        options = getattr(schema, f"{kind.capitalize()}OptionsT")()
        options.fusedActivationFunction = activation
        operand = network._constant(values, f"{kind}_{network.last}")
        network._add(kind, (operand,), network.shape, options)


def _net(path, add_reader, **fields):
    network = models.Network((8, 8, 3))
    network.conv(6, activation=schema.ActivationFunctionType.RELU)
    _normalized(network, **fields)
    add_reader(network)
    network.dense(4)
    network.softmax()
    return network.save(path)


@pytest.mark.parametrize(
    "add_reader",
    [
        lambda network: network.conv(4),
        lambda network: network.depthwise(multiplier=2),
        lambda network: (network.pad(), network.depthwise()),
    ],
    ids=["convolution", "depthwise", "behind a border"],
)
def test_the_function_stays(tmp_path, add_reader):
    plain = _net(tmp_path / "plain.tflite", add_reader)
    changed = even_factors.even(flatbuffer.read(plain))
    path = tmp_path / "even.tflite"
    constants.replace(plain, path, changed)
    inputs = models.examples(40)
    expected, found = (
        interpreter.predict(x, inputs)["y"] for x in (plain, path)
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_factors_become_alike_within_limits(tmp_path):
    plain = _net(tmp_path / "plain.tflite", lambda network: network.conv(4))
    model = flatbuffer.read(plain)
    changed = even_factors.even(model)
    (mul,) = (x for x in model.subgraphs[0].operators if x.name == "MUL")
    found = changed[mul.inputs[1]]
    # Signs and zeros stay; the largest is brought as near as 64 allows.
    np.testing.assert_allclose(
        found, [1.5, -1.5, 1.5, 300 / 64, 1.5, 0], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("add_reader", "fields"),
    [
        (lambda network: None, {}),
        (
            lambda network: network.conv(4),
            {"activation": schema.ActivationFunctionType.RELU},
        ),
        (lambda network: network.conv(4), {"factors": np.zeros(6, np.float32)}),
    ],
    ids=["no layer of channels", "an activation between", "nothing left"],
)
def test_what_cannot_be_moved_stays(tmp_path, add_reader, fields):
    path = _net(tmp_path / "net.tflite", add_reader, **fields)
    assert even_factors.even(flatbuffer.read(path)) == {}


def test_equalization_moves_factors_too(tmp_path):
    plain = _net(tmp_path / "plain.tflite", lambda network: network.conv(4))
    inputs = models.examples(20)
    done = equalization.equalize(plain, tmp_path / "even.tflite", inputs)
    assert done.evened == 3
    notes = technique.Equalization().prepare(
        plain, tmp_path / "again.tflite", inputs
    )
    assert notes[1] == (
        "Moved factors of channels into the layers that read them, in 3 "
        "constants."
    )
