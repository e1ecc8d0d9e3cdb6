# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests.keras_models.rewriting import same
from tflite_opt.keras_models.quantization import plan
from tflite_opt.keras_models.rewriting import graph, rewrite
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


def _plan(model):
    found = rewrite.for_quantization(model)
    return {
        call.layer.name: output for call, output in plan.outputs(found).items()
    }


def _image_model(*make):
    import tf_keras as keras

    return same.chain((8, 8, 3), *(m(keras.layers) for m in make))


def test_results_are_rounded_where_an_operation_of_tflite_ends():
    model = _image_model(
        lambda k: k.Conv2D(4, 3, name="conv"),
        lambda k: k.ReLU(name="relu"),
        lambda k: k.MaxPooling2D(name="pool"),
        lambda k: k.Conv2D(4, 1, activation="swish", name="gated"),
        lambda k: k.GlobalAveragePooling2D(name="mean"),
        lambda k: k.Dense(3, activation="softmax", name="scores"),
    )
    assert _plan(model) == {
        "conv": None,
        "relu": "moving",
        "pool": None,
        "gated": "moving",
        "gated_activation_sigmoid": "unit",
        "gated_activation": "moving",
        "mean": "moving",
        "scores": "moving",
        "scores_activation": None,
    }


def test_what_is_concatenated_has_the_scale_of_the_result():
    import tf_keras as keras

    image = keras.Input((4, 4, 2))
    left = keras.layers.Conv2D(2, 1, name="left")(image)
    right = keras.layers.Conv2D(2, 1, name="right")(image)
    both = keras.layers.Concatenate(name="both")([left, right])
    found = _plan(
        keras.Model(image, keras.layers.Add(name="sum")([both, both]))
    )
    assert found == {
        "left": None,
        "right": None,
        "both": "moving",
        "sum": "moving",
    }


def test_weights_know_their_output_channels():
    model = _image_model(
        lambda k: k.DepthwiseConv2D(3, name="depthwise"),
        lambda k: k.Conv2DTranspose(2, 3, name="transposed"),
        lambda k: k.Flatten(name="flat"),
        lambda k: k.Dense(2, name="dense"),
    )
    found = {c.layer.name: plan.weights(c) for c in graph.read(model).calls}
    assert found == {
        "depthwise": {"depthwise_kernel": (2, 3)},
        "transposed": {"kernel": (2,)},
        "flat": {},
        "dense": {"kernel": (-1,)},
    }


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda k: k.LSTM(2, name="bad"), "recurrent"),
        (lambda k: k.Bidirectional(k.GRU(2), name="bad"), "recurrent"),
        (
            lambda k: k.EinsumDense("nte,ted->ntd", (4, 2), name="bad"),
            "as `Dense` does",
        ),
        (lambda k: k.ELU(name="bad"), "no integer ELU"),
        (lambda k: k.Activation("selu", name="bad"), "no integer ELU"),
    ],
)
def test_refuses_what_has_no_integer_kernel(make, reason):
    import tf_keras as keras

    model = same.chain((4, 3), make(keras.layers))
    with pytest.raises(errors.ModelError, match=re.escape(reason)) as caught:
        plan.require_integer_kernels(graph.read(model))
    assert "Received: bad." in str(caught.value)
    assert "int8 or dynamic_range" in str(caught.value)


def test_refuses_an_attention_that_is_masked():
    import tf_keras as keras

    x = keras.Input((4, 3))
    layer = keras.layers.MultiHeadAttention(2, 3, name="bad")
    model = keras.Model(x, layer(x, x, use_causal_mask=True))
    with pytest.raises(errors.ModelError, match="without a mask") as caught:
        plan.require_integer_kernels(rewrite.for_quantization(model))
    assert "Received: bad." in str(caught.value)


def test_the_parts_of_an_attention_are_rounded():
    import tf_keras as keras

    x = keras.Input((4, 3))
    layer = keras.layers.MultiHeadAttention(2, 3, dropout=0.1, name="attention")
    found = _plan(keras.Model(x, layer(x, x)))
    rounded = {name: output for name, output in found.items() if output}
    assert rounded == {
        "attention_query": "moving",
        "attention_key": "moving",
        "attention_value": "moving",
        "attention_scores": "moving",
        "attention_softmax": "unit",
        "attention_mixed": "moving",
        "attention": "moving",
    }
