# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models.rewriting import same
from tflite_opt.keras_models.rewriting import activations, operators

pytestmark = pytest.mark.tensorflow


def _layers():
    import tf_keras as keras

    return keras.layers


@pytest.mark.parametrize(
    ("activation", "kinds"),
    [
        ("relu", ["Conv2D", "ReLU"]),
        ("swish", ["Conv2D", "Activation", "Multiply"]),
        ("softmax", ["Conv2D", "Softmax"]),
        ("gelu", ["Conv2D", "Activation"]),
        ("linear", ["Conv2D"]),
    ],
)
def test_an_activation_stands_apart(activation, kinds):
    layer = _layers().Conv2D(4, 3, activation=activation, name="conv")
    found = same.rewritten(
        same.chain((5, 5, 2), layer), activations.split, activations.normalize
    )
    assert same.kinds(found) == kinds
    assert found.calls[0].layer.name == "conv"


def test_a_linear_activation_goes():
    layers = _layers()
    model = same.chain((3,), layers.Activation("linear"), layers.ReLU())
    found = same.rewritten(model, activations.normalize)
    assert same.kinds(found) == ["ReLU"]


def _hard_swish(x, bound=6.0):
    gate = _layers().ReLU(bound)(x + 3.0) * (1 / 6)
    return _layers().Multiply(name="product")([x, gate])


def _rewrite(function):
    import tf_keras as keras

    x = keras.Input((4,))
    return same.rewritten(
        keras.Model(x, function(x)),
        operators.to_layers,
        activations.find_hard_swish,
    )


def test_hard_swish_is_one_layer():
    found = _rewrite(_hard_swish)
    assert same.kinds(found) == ["HardSwish"]
    assert found.calls[0].layer.name == "product"


@pytest.mark.parametrize(
    "function",
    [
        lambda x: _hard_swish(x, 5.0),
        lambda x: _layers().Multiply()([x, _layers().ReLU(6.0)(x) / 6]),
        lambda x: [gate := _layers().ReLU(6.0)(x + 3.0) / 6, x * gate][1]
        + gate,
    ],
    ids=["another bound", "no offset", "the gate is read twice"],
)
def test_what_only_looks_like_hard_swish_stays(function):
    assert "HardSwish" not in same.kinds(_rewrite(function))


def test_only_a_plain_relu_runs_inside_the_operation_before():
    layers = _layers()
    model = same.chain((3,), layers.ReLU(), layers.ReLU(negative_slope=0.1))
    plain, leaky = same.rewritten(model).calls
    assert activations.is_relu(plain)
    assert not activations.is_relu(leaky)
    assert not activations.is_relu(None)
