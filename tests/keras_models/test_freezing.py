# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.data import lazy
from tests.keras_models import tiny
from tflite_opt.keras_models import freezing
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


def two_by_two():
    """Two inputs and two outputs, named against the alphabet."""
    import tf_keras as keras

    image = keras.Input((4, 4, 1), name="z_image")
    meta = keras.Input((2,), name="a_meta", dtype="float32")
    x = keras.layers.Flatten()(keras.layers.Conv2D(2, 3)(image))
    x = keras.layers.BatchNormalization()(x)
    both = keras.layers.Concatenate()([x, meta])
    return keras.Model(
        [image, meta],
        [
            keras.layers.Dense(3, name="z_class")(both),
            keras.layers.Dense(2, name="a_box")(meta),
        ],
    )


def inputs_of(model, count=5):
    generator = np.random.default_rng(0)
    return {
        spec.name: generator.random((count, *spec.shape[1:]), np.float32)
        for spec in freezing.input_specs(model)
    }


@pytest.mark.parametrize("make", [tiny.classifier, two_by_two])
def test_frozen_model_gives_the_same_outputs_by_name(tmp_path, make):
    import tensorflow as tf

    model = make()
    inputs = inputs_of(model)
    expected = freezing.predict(model, inputs)
    assert list(expected) == model.output_names
    freezing.freeze(model, tmp_path / "frozen")
    loaded = tf.saved_model.load(str(tmp_path / "frozen"))
    assert list(loaded.signatures) == ["serving_default"]
    serve = loaded.signatures["serving_default"]
    for index in range(3):
        outputs = serve(
            **{
                name: tf.constant(x[index : index + 1])
                for name, x in inputs.items()
            }
        )
        assert set(outputs) == set(expected)
        for name, output in outputs.items():
            np.testing.assert_allclose(
                output[0], expected[name][index], rtol=1e-5, atol=1e-6
            )


def test_frozen_model_has_a_batch_of_one_and_no_variables(tmp_path):
    import tensorflow as tf

    freezing.freeze(two_by_two(), tmp_path / "frozen")
    loaded = tf.saved_model.load(str(tmp_path / "frozen"))
    serve = loaded.signatures["serving_default"]
    _, specs = serve.structured_input_signature
    assert {name: spec.shape.as_list() for name, spec in specs.items()} == {
        "z_image": [1, 4, 4, 1],
        "a_meta": [1, 2],
    }
    assert not serve.variables
    content = (tmp_path / "frozen" / "saved_model.pb").read_bytes()
    assert b"VarHandleOp" not in content


def test_converter_keeps_the_names(tmp_path):
    import tensorflow as tf
    from ai_edge_litert import interpreter

    model = two_by_two()
    inputs = inputs_of(model, count=1)
    freezing.freeze(model, tmp_path / "frozen")
    content = tf.lite.TFLiteConverter.from_saved_model(
        str(tmp_path / "frozen")
    ).convert()
    runner = interpreter.Interpreter(
        model_content=content
    ).get_signature_runner("serving_default")
    outputs = runner(**inputs)
    expected = freezing.predict(model, inputs)
    assert set(outputs) == {"z_class", "a_box"}
    for name, output in outputs.items():
        np.testing.assert_allclose(output, expected[name], atol=1e-6)


@pytest.mark.parametrize("wrap", [False, True], ids=["lstm", "bidirectional"])
def test_an_lstm_stays_one_operation_of_the_converter(tmp_path, wrap):
    import tensorflow as tf
    import tf_keras as keras
    from ai_edge_litert import interpreter

    sound = keras.Input((6, 4), name="sound")
    layer = keras.layers.LSTM(5)
    layer = keras.layers.Bidirectional(layer) if wrap else layer
    model = keras.Model(sound, keras.layers.Dense(3, name="word")(layer(sound)))
    freezing.freeze(model, tmp_path / "frozen")
    content = tf.lite.TFLiteConverter.from_saved_model(
        str(tmp_path / "frozen")
    ).convert()
    loaded = interpreter.Interpreter(model_content=content)
    runner = loaded.get_signature_runner("serving_default")
    inputs = inputs_of(model, count=1)
    expected = freezing.predict(model, inputs)
    np.testing.assert_allclose(
        runner(**inputs)["word"], expected["word"], atol=1e-6
    )
    names = [operator["op_name"] for operator in loaded._get_ops_details()]
    assert names.count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 1 + wrap
    assert "WHILE" not in names


def test_freezing_does_not_change_the_model(tmp_path):
    model = tiny.classifier()
    before = model.get_weights()
    freezing.freeze(model, tmp_path / "frozen")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_input_specs():
    specs = freezing.input_specs(two_by_two())
    assert [(s.name, s.shape, s.dtype) for s in specs] == [
        ("z_image", (1, 4, 4, 1), "float32"),
        ("a_meta", (1, 2), "float32"),
    ]


def test_rejects_an_unknown_dimension_and_names_the_input(tmp_path):
    import tf_keras as keras

    image = keras.Input((None, 8, 1), name="sound")
    model = keras.Model(image, keras.layers.Conv2D(2, 3)(image))
    with pytest.raises(
        errors.ModelError,
        match=re.escape(
            "input 'sound' with shape (1, -1, 8, 1). Say the size, as in "
            "--input_shape=sound:1,128,8,1."
        ),
    ):
        freezing.freeze(model, tmp_path / "frozen")
    assert not (tmp_path / "frozen").exists()


def test_rejects_a_model_that_was_never_built(tmp_path):
    import tf_keras as keras

    model = keras.Sequential([keras.layers.Dense(2)])
    with pytest.raises(errors.ModelError, match="which was never built"):
        freezing.freeze(model, tmp_path / "frozen")


@pytest.mark.parametrize("name", ["my input", "input:0", "_x", "é", "self"])
def test_rejects_a_name_that_no_signature_can_have(tmp_path, name):
    import tf_keras as keras

    image = keras.Input((3,), name=name)
    model = keras.Model(image, keras.layers.Dense(2)(image))
    with pytest.raises(errors.ModelError, match=f"Received: {name!r}. Build"):
        freezing.freeze(model, tmp_path / "frozen")


@pytest.mark.parametrize("name", ["a/b", "a-b", "1a", "inputs"])
def test_converter_keeps_an_unusual_name(tmp_path, name):
    import tensorflow as tf
    import tf_keras as keras
    from ai_edge_litert import interpreter

    image = keras.Input((3,), name=name)
    model = keras.Model(image, keras.layers.ReLU(name="out")(image))
    freezing.freeze(model, tmp_path / "frozen")
    content = tf.lite.TFLiteConverter.from_saved_model(
        str(tmp_path / "frozen")
    ).convert()
    signatures = interpreter.Interpreter(
        model_content=content
    ).get_signature_list()
    assert signatures["serving_default"]["inputs"] == [name]


def test_outputs_of_a_model_with_a_dictionary_have_the_keras_names(tmp_path):
    import tensorflow as tf
    import tf_keras as keras

    x = keras.Input((3,), name="x")
    first = keras.layers.Dense(2, name="z_layer")(x)
    second = keras.layers.Softmax(name="a_layer")(first)
    model = keras.Model(x, {"first": first, "second": second})
    inputs = {"x": np.ones((1, 3), np.float32)}
    expected = freezing.predict(model, inputs)
    assert list(expected) == ["z_layer", "a_layer"]
    assert expected["a_layer"].sum() == pytest.approx(1)
    assert expected["z_layer"].sum() != pytest.approx(1)
    freezing.freeze(model, tmp_path / "frozen")
    loaded = tf.saved_model.load(str(tmp_path / "frozen"))
    outputs = loaded.signatures["serving_default"](x=tf.ones((1, 3)))
    for output_name, output in outputs.items():
        np.testing.assert_allclose(output, expected[output_name], rtol=1e-6)


def test_predict_does_not_depend_on_the_batch_size():
    model = tiny.classifier()
    inputs = inputs_of(model, count=7)
    whole = freezing.predict(model, inputs)["scores"]
    parts = freezing.predict(model, inputs, batch_size=3)["scores"]
    assert whole.shape == (7, 3)
    np.testing.assert_allclose(whole, parts, atol=1e-6)


def test_predict_loads_lazy_inputs_batch_by_batch():
    model = tiny.classifier()
    inputs = inputs_of(model, count=7)
    given = lazy.Counted(inputs["image"])
    found = freezing.predict(model, {"image": given}, batch_size=3)["scores"]
    expected = freezing.predict(model, inputs, batch_size=3)["scores"]
    np.testing.assert_array_equal(found, expected)
    assert given.largest_batch() == 3


def test_saving_where_nothing_can_be_written_is_one_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(errors.OutputError, match="Cannot write the frozen"):
        freezing.freeze(tiny.classifier(), tmp_path / "file" / "frozen")
