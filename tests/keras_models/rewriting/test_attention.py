# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.keras_models.rewriting import same
from tflite_opt.keras_models.rewriting import attention, graph

pytestmark = pytest.mark.tensorflow

_HEADS = ["EinsumDense", "Permute"]


def _model(call=lambda layer, x, y: layer(x, y), mask=False, **settings):
    import tf_keras as keras

    x = first = keras.Input((5, 6))
    if mask:
        x = keras.layers.Masking()(x)
    y = keras.Input((7, 6))
    settings = {"num_heads": 2, "key_dim": 3, "name": "attention"} | settings
    layer = keras.layers.MultiHeadAttention(**settings)
    return keras.Model([first, y], call(layer, x, y))


def test_an_attention_is_projections_and_products():
    found = same.rewritten(_model(), attention.split)
    assert same.kinds(found) == [
        *(_HEADS * 3),
        *("MatrixProduct", "Softmax", "MatrixProduct"),
        *("Permute", "EinsumDense"),
    ]
    assert found.calls[-1].layer.name == "attention"
    assert found.renamed["attention", "query/kernel"] == (
        "attention_query",
        "kernel",
    )
    assert found.renamed["attention", "attention_output/bias"] == (
        "attention",
        "bias",
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"value_dim": 4},
        {"use_bias": False},
        {"output_shape": 8},
        {"dropout": 0.5, "trainable": False},
    ],
    ids=["values", "no_bias", "output", "dropout"],
)
def test_settings_are_kept(settings):
    found = same.rewritten(_model(**settings), attention.split)
    assert ("Dropout" in same.kinds(found)) == ("dropout" in settings)
    (query, *_) = found.calls
    assert query.layer.trainable == settings.get("trainable", True)


def test_a_key_of_its_own_is_projected():
    def call(layer, x, y):
        return layer(x, y, key=y * 2.0)

    found = same.rewritten(_model(call), attention.split)
    key = next(c for c in found.calls if c.layer.name == "attention_key")
    assert found.producer(key.inputs[0]).kind == "TFOpLambda"


def _masked(layer, x, y):
    return layer(x, y, attention_mask=np.tri(5, 7)[None] > 0)


@pytest.mark.parametrize(
    "model",
    [
        lambda: _model(_masked),
        lambda: _model(lambda layer, x, y: layer(x, x, use_causal_mask=True)),
        lambda: _model(
            lambda layer, x, y: layer(x, y, return_attention_scores=True)
        ),
        lambda: _model(lambda layer, x, y: layer(layer(x, y), y)),
        lambda: _model(mask=True),
        lambda: _model(attention_axes=(1,), output_shape=(2, 3)),
    ],
    ids=["mask", "causal", "scores", "shared", "masking", "output_rank"],
)
def test_others_stay_as_they_are(model):
    found = graph.read(model())
    attention.split(found)
    assert "MultiHeadAttention" in same.kinds(found)
    assert "MatrixProduct" not in same.kinds(found)
