# SPDX-License-Identifier: Apache-2.0
import pytest

from tests import in_process, preflights
from tests.keras_models import keras3_models
from tests.tflite import handmade
from tflite_opt.conversion import (
    litert_quantizer,
    preflight,
)
from tflite_opt.data import dataset
from tflite_opt.keras_models import source
from tflite_opt.records import conversion, errors


def _request(model, data=None, uses_data=False, **choice):
    return preflight.Request(
        choice=source.Choice(model=str(model), **choice),
        data=data
        or dataset.DataSpec(source="digits", limit=20, num_calibration=5),
        uses_data=uses_data,
    )


@pytest.fixture
def here(monkeypatch, tmp_path):
    """Lets the child's work be done in this process, where TensorFlow is."""

    in_process.children(monkeypatch, tmp_path)


def _dense(path):
    return handmade.dense_with_signature().save(path)


def test_a_crash_costs_only_what_was_not_known_yet(monkeypatch, tmp_path):
    monkeypatch.setattr(
        preflight, "_WORKER", "tests.conversion.crashing_preflight"
    )
    found = preflight.run(_request(_dense(tmp_path / "model.tflite")))
    assert found.keras == preflights.keras()
    (failure,) = found.failures
    assert (failure.name, failure.model) == ("int8", "model.tflite")
    assert failure.message == "its process crashed with signal 11."
    assert "dynamic_range" in failure.remedy


def test_a_missing_model_is_refused_before_a_process_starts():
    with pytest.raises(errors.ModelError, match="No model at 'none.h5'"):
        preflight.run(_request("none.h5"))


def test_a_float_tflite_shows_its_operations_without_layers(tmp_path):
    found = preflight.run(_request(_dense(tmp_path / "model.tflite")))
    assert found.model == "model.tflite"
    assert "not Keras layers" in found.keras.unknown_because
    assert not found.failures
    assert [file.recipe for file in found.files] == [
        *("float32", "dynamic_range", "int8"),
    ]
    kinds = [file.operations[0].arithmetic for file in found.files]
    assert kinds == ["float", "hybrid", "integer"]
    assert all(file.operations[0].layers == () for file in found.files)


def test_a_quantized_tflite_is_no_float_model(tmp_path):
    path = _dense(tmp_path / "model.tflite")
    rule = conversion.QuantizerRule(operation="*", mode="weight_only")
    path.write_bytes(litert_quantizer.quantize(path, [rule], None))
    with pytest.raises(errors.ModelError, match="1 of 1 weight"):
        preflight.run(_request(path))


def test_shapes_that_do_not_fit_are_bad_input(tmp_path):
    path = _dense(tmp_path / "model.tflite")
    with pytest.raises(errors.InputError, match="nothing"):
        preflight.run(_request(path, input_shapes={"nothing": (1, 4)}))


@pytest.mark.tensorflow
def test_a_keras_model_is_followed_into_its_files(here, tmp_path):
    import tf_keras as keras

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(8, 3, activation="elu", name="conv"),
            layers.Flatten(name="flatten"),
            layers.Dense(3, name="dense"),
            layers.Softmax(name="scores"),
        ]
    )
    model.save(tmp_path / "model.h5")
    found = preflight.run(_request(tmp_path / "model.h5"))
    assert [x.path for x in found.keras.layers] == [
        *("conv", "flatten", "dense", "scores"),
    ]
    assert found.keras.is_blocked("quantization_aware_training")
    assert found.uncovered == {"dynamic_range": (), "int8": ("ELU",)}
    operations = {
        operation.name: operation for operation in found.file("int8").operations
    }
    assert operations["CONV_2D"].layers == ("conv",)
    assert operations["CONV_2D"].arithmetic == "integer"
    assert operations["ELU"].layers == ("conv",)
    assert operations["ELU"].arithmetic == "float"
    (failure,) = found.failures
    assert failure.name == "int8"
    assert "leave no float tensor inside the model" in failure.message
    assert failure.remedy.startswith("Replace ELU,")


@pytest.mark.tensorflow
def test_a_reference_model_is_built_untrained_for_the_data(here):
    found = preflight.run(_request("ds_cnn"))
    assert found.model == "ds_cnn"
    assert found.keras.layers[-1].output_shape == (-1, 10)
    assert not found.failures
    left_out = found.keras.with_status("pruning", "left_out")
    # The stem holds 13 % of the weights, the last layer 3 %.
    assert {layer.path for layer in left_out if "depth" not in layer.path} == {
        "logits",
    }
    assert all(o.layers for file in found.files for o in file.operations)


@pytest.mark.tensorflow
def test_a_keras_3_model_is_examined_as_it_is_rebuilt(here, tmp_path):
    path = tmp_path / "model.keras"
    keras3_models.recurrent("GRU").save(path)
    found = preflight.run(_request(path))
    assert "both" in [layer.path for layer in found.keras.layers]
    assert not found.failures


@pytest.mark.tensorflow
def test_a_keras_3_model_that_cannot_be_rebuilt_says_why(here, tmp_path):
    path = tmp_path / "model.keras"
    keras3_models.only_in_keras3().save(path)
    found = preflight.run(_request(path))
    assert not found.keras.layers
    assert "(RMSNormalization) exists in Keras 3" in found.keras.unknown_because
    assert found.file("float32").operations


@pytest.mark.tensorflow
def test_open_dimensions_take_the_sizes_of_the_data(here, tmp_path):
    import tf_keras as keras

    steps = keras.Input((None, 8, 1), name="steps")
    x = keras.layers.Conv2D(4, 3, name="conv")(steps)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    keras.Model(steps, x).save(tmp_path / "model.h5")
    without = preflight.run(_request(tmp_path / "model.h5"))
    (failure,) = without.failures
    assert "--input_shape=steps:1,128,8,1" in failure.message
    found = preflight.run(_request(tmp_path / "model.h5", uses_data=True))
    assert not found.failures


@pytest.mark.tensorflow
def test_tokens_and_recurrent_layers_are_taken(here, tmp_path):
    import tf_keras as keras

    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32", name="tokens"),
            keras.layers.Embedding(2, 4, name="embedding"),
            # The converter quantizes no weight of fewer than 1024 elements.
            keras.layers.LSTM(32, name="lstm"),
            keras.layers.Dense(2, name="dense"),
        ]
    )
    model.save(tmp_path / "model.h5")
    found = preflight.run(_request(tmp_path / "model.h5"))
    assert not found.failures
    lost = {o.name: o for o in found.files[0].operations if not o.layers}
    assert lost["UNIDIRECTIONAL_SEQUENCE_LSTM"].is_delegated is False
