# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models.rewriting import same
from tflite_opt.keras_models.rewriting import graph, normalization

pytestmark = pytest.mark.tensorflow


def _model(shape=(4, 3), **settings):
    import tf_keras as keras

    layer = keras.layers.LayerNormalization(name="norm", **settings)
    return same.chain(shape, layer)


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        ((4, 3), {}),
        ((5, 4, 3), {"axis": 3, "epsilon": 0.1}),
        ((3,), {"scale": False}),
        ((4, 3), {"center": False}),
        ((4, 3), {"scale": False, "center": False}),
    ],
)
def test_the_mean_is_subtracted_first(shape, settings):
    found = same.rewritten(_model(shape, **settings), normalization.split)
    assert same.kinds(found) == [
        *("ChannelMean", "Subtract", "Multiply", "ChannelMean"),
        *("InverseRoot", "Multiply", "ChannelScale"),
    ]
    assert found.calls[-1].layer.name == "norm"
    assert found.renamed["norm", "gamma"] == ("norm", "scale")
    assert found.renamed["norm", "beta"] == ("norm", "offset")


def test_a_frozen_layer_stays_frozen():
    found = same.rewritten(_model(trainable=False), normalization.split)
    assert not found.calls[-1].layer.trainable


def test_other_axes_stay_as_they_are():
    found = graph.read(_model(axis=1))
    normalization.split(found)
    assert same.kinds(found) == ["LayerNormalization"]
