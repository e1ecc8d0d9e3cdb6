# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.keras_models.rewriting import same
from tflite_opt.keras_models.rewriting import graph

pytestmark = pytest.mark.tensorflow


def _kinds(found):
    return [call.kind for call in found.calls]


def test_a_model_inside_a_model_is_opened_under_its_path():
    import tf_keras as keras

    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="first")], name="inner"
    )
    values = keras.Input((4,), name="values")
    outer = keras.Model(values, keras.layers.ReLU()(inner(values)))
    expected, inputs = same.outputs(outer)
    found = graph.read(outer)
    assert [call.layer.name for call in found.calls][0] == "inner/first"
    built, _ = graph.build(found)
    np.testing.assert_array_equal(built.predict(inputs, verbose=0), expected)
    assert built.input_names == ["values"]


def test_a_model_that_is_called_twice_shares_its_layers():
    import tf_keras as keras

    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(4, name="dense")], name="inner"
    )
    values = keras.Input((4,))
    model = keras.Model(values, inner(inner(values)))
    expected, inputs = same.outputs(model)
    found = graph.read(model)
    assert _kinds(found) == ["Dense", "Dense"]
    assert all(map(found.is_shared, found.calls))
    built, _ = graph.build(found)
    np.testing.assert_array_equal(built.predict(inputs, verbose=0), expected)
    assert len(built.trainable_weights) == 2


def test_several_inputs_and_outputs_keep_their_structure():
    import tf_keras as keras

    left = keras.Input((3,), name="left")
    right = keras.Input((3,), name="right")
    both = keras.layers.Add(name="sum")([left, right])
    model = keras.Model(
        {"left": left, "right": right},
        {"sum": both, "relu": keras.layers.ReLU(name="relu")(left)},
    )
    built, _ = graph.build(graph.read(model))
    ones = np.ones((2, 3), np.float32)
    found = built({"left": ones, "right": 2 * ones})
    np.testing.assert_array_equal(found["sum"], 3 * ones)
    np.testing.assert_array_equal(found["relu"], ones)


def test_readers_get_the_tensor_before_a_call_that_is_removed():
    import tf_keras as keras

    values = keras.Input((3,))
    doubled = keras.layers.Rescaling(2.0, name="double")(values)
    model = keras.Model(values, keras.layers.Add()([doubled, doubled]))
    found = graph.read(model)
    found.remove(found.calls[0])
    built, _ = graph.build(found)
    result = built(np.ones((1, 3), np.float32))
    np.testing.assert_array_equal(result, np.full((1, 3), 2))


def test_the_only_reader_of_an_output_is_none():
    import tf_keras as keras

    values = keras.Input((3,))
    relu = keras.layers.ReLU()(values)
    model = keras.Model(values, [relu, keras.layers.Flatten()(relu)])
    found = graph.read(model)
    assert found.only_reader(found.calls[0].output) is None
    assert found.only_reader(found.inputs[model.input_names[0]]) is not None
    assert found.producer(found.inputs[model.input_names[0]]) is None
