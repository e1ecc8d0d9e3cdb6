# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.keras_models import freezing, recurrent, traceable

pytestmark = pytest.mark.tensorflow


def _model(layer, steps=6):
    import tf_keras as keras

    keras.utils.set_random_seed(0)
    x = keras.Input((steps, 3), name="x")
    model = keras.Model(x, layer(keras.layers)(x))
    # Zero biases would hide those that are added in the wrong place.
    generator = np.random.default_rng(0)
    model.set_weights(
        [generator.normal(size=w.shape) for w in model.get_weights()]
    )
    return model


_LAYERS = {
    "gru": lambda layers: layers.GRU(4),
    "gru_sequences": lambda layers: layers.GRU(4, return_sequences=True),
    "gru_before": lambda layers: layers.GRU(4, reset_after=False),
    "gru_without_bias": lambda layers: layers.GRU(4, use_bias=False),
    "bidirectional": lambda layers: layers.Bidirectional(layers.GRU(4)),
    "simple": lambda layers: layers.SimpleRNN(4),
    "cells": lambda layers: layers.RNN([layers.GRUCell(4), layers.LSTMCell(3)]),
}


def _float_file(model, tmp_path):
    import tensorflow as tf
    from ai_edge_litert import interpreter

    freezing.freeze(model, tmp_path / "frozen")
    content = tf.lite.TFLiteConverter.from_saved_model(
        str(tmp_path / "frozen")
    ).convert()
    return interpreter.Interpreter(model_content=content)


@pytest.mark.parametrize("name", _LAYERS)
def test_a_short_loop_is_unrolled_and_computes_the_same(tmp_path, name):
    model = _model(_LAYERS[name])
    x = np.random.default_rng(1).random((1, 6, 3), np.float32)
    expected = model(x).numpy()
    loaded = _float_file(model, tmp_path)
    operators = {op["op_name"] for op in loaded._get_ops_details()}
    assert not operators & {"WHILE", "SPLIT_V"}
    runner = loaded.get_signature_runner("serving_default")
    (found,) = runner(x=x).values()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(model(x).numpy(), expected, atol=1e-6)


def test_the_layers_are_as_they_were_afterwards():
    model = _model(_LAYERS["gru"])
    layer = model.layers[1]
    before = layer.unroll, layer._could_use_gpu_kernel, layer.cell.call
    with recurrent.unrolled([layer]):
        traceable.from_keras(model).call([np.zeros((1, 6, 3), np.float32)])
        assert layer.unroll
    after = layer.unroll, layer._could_use_gpu_kernel, layer.cell.call
    assert after == before


def test_a_long_loop_stays_a_loop(tmp_path):
    model = _model(_LAYERS["gru"], steps=recurrent.MAX_UNROLLED_STEPS + 1)
    loaded = _float_file(model, tmp_path)
    operators = {op["op_name"] for op in loaded._get_ops_details()}
    assert "WHILE" in operators


def test_only_an_lstm_as_keras_makes_it_has_an_operation():
    fused, loops = recurrent.fused_and_loops(
        _model(lambda layers: layers.LSTM(4))
    )
    assert (len(fused), loops) == (1, [])
    fused, loops = recurrent.fused_and_loops(
        _model(lambda layers: layers.LSTM(4, activation="relu"))
    )
    assert (fused, len(loops)) == ([], 1)
