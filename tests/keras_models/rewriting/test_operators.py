# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models.rewriting import same
from tflite_opt.keras_models.rewriting import operators

pytestmark = pytest.mark.tensorflow


def _nn():
    import tensorflow as tf

    return tf.nn


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda x, y: x + y, "Add"),
        (lambda x, y: x * y, "Multiply"),
        (lambda x, y: x - y, "Subtract"),
        (lambda x, y: x + 3.0, "Rescaling"),
        (lambda x, y: 3.0 + x, "Rescaling"),
        (lambda x, y: 1 - x, "Rescaling"),
        (lambda x, y: x - 1, "Rescaling"),
        (lambda x, y: x / 6, "Rescaling"),
        (lambda x, y: 2.0 * x, "Rescaling"),
        (lambda x, y: 1 / x, "TFOpLambda"),
        (lambda x, y: x / y, "TFOpLambda"),
        (lambda x, y: _nn().relu(x), "ReLU"),
        (lambda x, y: _nn().relu6(x), "ReLU"),
        (lambda x, y: _nn().swish(x), "Activation"),
        (lambda x, y: _nn().softmax(x), "Activation"),
        (lambda x, y: _nn().leaky_relu(x, alpha=0.1), "TFOpLambda"),
    ],
)
def test_an_operator_becomes_the_layer_that_does_the_same(function, kind):
    import tf_keras as keras

    x, y = keras.Input((2, 3)), keras.Input((2, 3))
    model = keras.Model([x, y], function(x, y))
    found = same.rewritten(model, operators.to_layers)
    assert same.kinds(found) == [kind]


def test_unlike_ranks_stay_an_operator():
    import tf_keras as keras

    x, y = keras.Input((3, 3)), keras.Input((3,))
    found = same.rewritten(keras.Model([x, y], x + y[0]), operators.to_layers)
    assert same.kinds(found)[-1] == "TFOpLambda"
