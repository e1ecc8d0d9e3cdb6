# SPDX-License-Identifier: Apache-2.0
import pathlib
import re

import numpy as np
import pytest

from tests.keras_models import keras3_models, tiny
from tflite_opt.keras_models import freezing, opening, saving
from tflite_opt.records import artifact, errors, model_spec

pytestmark = pytest.mark.tensorflow

_HERE = "tests.keras_models.keras3_models"


def _spec(path, format="keras", **fields):
    return model_spec.ModelSpec(
        artifact=artifact.describe(path, format=format), **fields
    )


def _of_function(name, **fields):
    return model_spec.ModelSpec(
        artifact=artifact.describe(
            pathlib.Path(keras3_models.__file__), format="function"
        ),
        function=f"{_HERE}:{name}",
        **fields,
    )


def _images(count=70):
    return {
        "image": np.random.default_rng(0).random((count, 8, 8, 1), np.float32)
    }


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_keras_3_file_is_rebuilt_and_confirmed(tmp_path, suffix):
    import tf_keras as keras

    path = tmp_path / f"model{suffix}"
    model = keras3_models.recurrent()
    model.save(path)
    opened = opening.open_model(_spec(path))
    assert isinstance(opened.keras, keras.Model)
    inputs = {"steps": np.random.default_rng(0).random((70, 8, 8), np.float32)}
    outputs = freezing.predict(opened.original, inputs)
    confirmed = opened.confirmed(inputs, outputs)
    assert confirmed.facts.kind == "keras3"
    assert confirmed.facts.trainable
    assert confirmed.facts.num_compared == 64
    assert confirmed.facts.rebuilt_difference < 1e-5
    assert "was rebuilt in Keras 2; on 64" in confirmed.facts.notes()[0]
    assert list(outputs) == ["scores"]


def test_a_rebuilt_model_that_differs_is_not_used():
    opened = opening.open_model(
        _of_function("builder"), keras3_models.builder()
    )
    images = _images()
    outputs = freezing.predict(opened.original, images)
    conv = opened.keras.get_layer("conv")
    conv.set_weights([weights * 1.01 for weights in conv.get_weights()])
    refused = opened.confirmed(images, outputs)
    assert refused.keras is None
    assert refused.converted is refused.original
    assert refused.facts.rebuilt_difference > 1e-5
    assert "rebuilt in Keras 2 its outputs differ" in refused.facts.notes()[0]


def test_what_cannot_be_rebuilt_is_converted_as_it_is(tmp_path):
    path = tmp_path / "model.keras"
    keras3_models.only_in_keras3().save(path)
    opened = opening.open_model(_spec(path))
    assert opened.keras is None
    assert opened.converted is opened.original
    assert opened.facts.notes() == (
        "Techniques that train the model are not available: the layer 'rms' "
        "(RMSNormalization) exists in Keras 3 only.",
    )
    freezing.freeze(opened.converted, tmp_path / "frozen")


def test_weights_go_into_the_model_that_a_function_returns(tmp_path):
    trained = keras3_models.builder()
    conv = trained.get_layer("conv")
    conv.set_weights([weights + 1 for weights in conv.get_weights()])
    path = tmp_path / "trained.weights.h5"
    trained.save_weights(path)
    spec = _of_function("builder", weights=path)
    opened = opening.open_model(spec, opening.build(spec))
    for old, new in zip(
        conv.get_weights(),
        opened.keras.get_layer("conv").get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(old, new)


def test_weights_of_another_model_are_the_users_error(tmp_path):
    path = tmp_path / "other.weights.h5"
    keras3_models.attention().save_weights(path)
    with pytest.raises(errors.UserCodeError, match=r"other\.weights\.h5"):
        opening.build(_of_function("builder", weights=path))


def test_what_a_function_raises_is_told_apart():
    with pytest.raises(
        errors.UserCodeError, match=r"raising raised KeyError: 'nothing'"
    ) as caught:
        opening.build(_of_function("raising"))
    assert 'return {}["nothing"]' in caught.value.traceback_text


def test_a_function_must_return_a_model():
    spec = _of_function("a_number")
    with pytest.raises(errors.ModelError, match=r"Received: builtins\.int"):
        opening.open_model(spec, opening.build(spec))


def test_a_custom_layer_is_named_when_missing_and_found_when_given(tmp_path):
    import tf_keras as keras

    x = keras.Input((3,), name="x")
    path = tmp_path / "model.h5"
    saving.save(keras.Model(x, tiny.Doubled()(x)), path)
    with pytest.raises(
        errors.ModelError,
        match=re.escape("Doubled") + ".*--custom_objects=package.module:NAME",
    ):
        opening.open_model(_spec(path))
    spec = _spec(path, custom_objects=("tests.keras_models.tiny:Doubled",))
    opened = opening.open_model(spec)
    ones = {"x": np.ones((2, 3), np.float32)}
    (found,) = freezing.predict(opened.converted, ones).values()
    assert (found == 2).all()


def test_a_missing_custom_object_of_keras_3_is_named(tmp_path):
    import keras

    class Tripled(keras.layers.Layer):
        def call(self, inputs):
            return 3 * inputs

    x = keras.Input((3,), name="x")
    path = tmp_path / "model.keras"
    keras.Model(x, Tripled()(x)).save(path)
    with pytest.raises(
        errors.ModelError, match="Could not locate class 'Tripled'. It may"
    ):
        opening.open_model(_spec(path))


def test_a_subclassed_model_is_converted_but_not_trainable(tmp_path):
    import tf_keras as keras

    path = tmp_path / "model"
    model = tiny.Subclassed()
    model(np.zeros((1, 3), np.float32))
    model.save(path)
    spec = _spec(
        path,
        format="saved_model",
        custom_objects=("tests.keras_models.tiny:Subclassed",),
    )
    opened = opening.open_model(spec)
    assert opened.keras is None
    assert not opened.facts.trainable
    assert isinstance(model, keras.Model)
    freezing.freeze(opened.converted, tmp_path / "frozen")


def test_a_keras_saved_model_gives_its_layers_back(tmp_path):
    import tf_keras as keras

    tiny.classifier().save(tmp_path / "model")
    opened = opening.open_model(_spec(tmp_path / "model", "saved_model"))
    assert isinstance(opened.keras, keras.Model)
    assert opened.facts.kind == "keras"
    assert opened.converted is opened.original


def test_sizes_are_filled_in_for_both_sides():
    import keras

    steps = keras.Input((None, 4), name="steps")
    model = keras.Model(steps, keras.layers.LSTM(3, name="memory")(steps))
    opened = opening._from_keras3(model)
    assert opened.original.inputs[0].shape == (1, -1, 4)
    sized = opened.with_sizes({"steps": (1, 16, 4)})
    for side in (sized.original, sized.converted):
        assert side.inputs[0].shape == (1, 16, 4)
