# SPDX-License-Identifier: Apache-2.0
"""Every kind of model reaches its variants, or says in one line why not."""

import dataclasses

import numpy as np
import pytest

from tests.keras_models import keras3_models
from tflite_opt import recipe
from tflite_opt.conversion import convert, freeze, job
from tflite_opt.data import dataset, sources
from tflite_opt.keras_models import reference, source
from tflite_opt.records import errors, model_spec, run_directory, training

pytestmark = pytest.mark.tensorflow

_DATA = dataset.DataSpec(source="digits", num_calibration=20, limit=100)


@pytest.fixture
def converted(tmp_path):
    """Returns a function that converts what a user names."""

    def run(model, *names, data=_DATA, **choice):
        run = run_directory.RunDirectory.create(
            tmp_path / "run", command="test", overwrite=True
        )
        fingerprint = sources.load(data).fingerprint()
        request = convert.Request(
            model=source.take_model(
                source.Choice(model=str(model), **choice),
                data,
                fingerprint,
                training.TrainingOptions(),
                run,
            ),
            data=data,
            data_fingerprint=fingerprint,
            recipes=recipe.parse_names(names),
            reference_splits=("validation",),
        )
        found, failures = convert.convert(request, run)
        layout = job.Layout(root=run.root)
        opened = model_spec.OpenedModel.load(layout.opened, run.root)
        return {v.artifact.name: v for v in found}, failures, opened

    return run


def _sequences(tmp_path):
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "data.npz",
        x_train=random.random((60, 8, 8), np.float32),
        y_train=np.arange(60) % 10,
        x_test=random.random((20, 8, 8), np.float32),
        y_test=np.arange(20) % 10,
    )
    return dataclasses.replace(_DATA, source=f"npz:{tmp_path / 'data.npz'}")


def test_a_keras_3_lstm_is_quantized_through_keras_2(converted, tmp_path):
    # The converter's process crashes on this one as Keras 3 writes it.
    path = tmp_path / "model.keras"
    keras3_models.recurrent().save(path)
    found, failures, opened = converted(path, "int8", data=_sequences(tmp_path))
    assert not failures
    assert opened.trainable
    assert opened.rebuilt_difference < 1e-5
    facts = found["int8"].facts
    assert facts.quantized_weight_fraction == 1
    assert facts.operator_counts["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 2


@pytest.mark.slow
def test_a_keras_3_lstm_that_cannot_be_rebuilt_fails_alone(converted, tmp_path):
    import keras

    steps = keras.Input((8, 8), name="steps")
    x = keras.layers.LSTM(16, name="memory")(steps)
    x = keras.layers.RMSNormalization(name="rms")(x)
    scores = keras.layers.Dense(10, activation="softmax", name="scores")(x)
    path = tmp_path / "model.keras"
    keras.Model(steps, scores).save(path)
    found, failures, opened = converted(path, "int8", data=_sequences(tmp_path))
    assert not opened.trainable
    assert "float32" in found
    assert ("int8" in found) != bool(failures)
    for failure in failures:
        assert "\n" not in str(failure)
        assert failure.remedy


def test_a_float_file_is_its_own_original(converted, tmp_path):
    first, _, _ = converted(reference.sample_model_path(), "int8")
    path = tmp_path / "mine.tflite"
    path.write_bytes(first["float32"].artifact.path.read_bytes())
    int8_bytes = first["int8"].artifact.size_bytes
    found, failures, opened = converted(path, "int8", "dynamic_range")
    assert not failures
    assert opened.kind == "tflite"
    assert found["float32"].backend == "given"
    assert found["int8"].facts.quantized_weight_fraction == 1
    assert found["int8"].artifact.size_bytes == int8_bytes


def test_a_quantized_file_is_refused_with_its_tensors(converted, tmp_path):
    first, _, _ = converted(reference.sample_model_path(), "int8")
    path = tmp_path / "mine.tflite"
    path.write_bytes(first["int8"].artifact.path.read_bytes())
    with pytest.raises(
        errors.ModelError, match=r"weights are float32.*\(int8\).*Give the"
    ):
        converted(path, "int8")


def test_a_technique_that_needs_the_converter_says_so(converted, tmp_path):
    first, _, _ = converted(reference.sample_model_path(), "float16")
    path = tmp_path / "mine.tflite"
    path.write_bytes(first["float32"].artifact.path.read_bytes())
    _, failures, _ = converted(path, "float16", "int16x8")
    for failure in failures:
        assert "needs a Keras model or a SavedModel" in failure.message


def test_a_function_returns_the_model(converted):
    name = "tests.keras_models.keras3_models:builder"
    found, failures, opened = converted(name, "int8")
    assert not failures
    assert opened.kind == "keras3"
    assert found["int8"].facts.quantized_weight_fraction == 1


def test_what_a_function_raises_reaches_the_user(converted):
    with pytest.raises(errors.UserCodeError, match="KeyError") as caught:
        converted("tests.keras_models.keras3_models:raising", "int8")
    assert "Traceback of your code" in caught.value.traceback_text


def test_the_sizes_of_the_data_fill_open_dimensions(converted, tmp_path):
    import tf_keras as keras

    steps = keras.Input((None, 8), name="steps")
    x = keras.layers.Conv1D(4, 3, name="conv")(steps)
    x = keras.layers.GlobalAveragePooling1D(name="pool")(x)
    scores = keras.layers.Dense(10, activation="softmax", name="scores")(x)
    path = tmp_path / "model.h5"
    keras.Model(steps, scores).save(path)
    data = _sequences(tmp_path)
    found, failures, _ = converted(path, "int8", data=data)
    assert not failures
    assert found["int8"].facts.inputs[0].shape == (1, 8, 8)
    with pytest.raises(errors.DataError, match=r"shape \(16, 8\)"):
        converted(path, "int8", data=data, input_shapes={"steps": (1, 16, 8)})


def _check_labels(labels, *shape):
    split = dataset.Split(
        name="test",
        inputs={"x": np.zeros((4, 8))},
        labels=labels,
        ids=np.arange(4),
    )
    freeze._check_labels(split, {"y": np.zeros((4, *shape))})


def test_classes_that_the_model_lacks_are_refused():
    with pytest.raises(errors.DataError, match="label=3, split='test'"):
        _check_labels(np.arange(4), 3)


@pytest.mark.parametrize(
    ("labels", "shape"),
    [
        (np.arange(4), (4,)),
        (np.arange(4) % 2, (1,)),
        (np.arange(4), (8, 8, 1)),
        (np.full((4, 8), 9.0, np.float32), (8,)),
        (None, (3,)),
    ],
    ids=["scores", "one-score", "reconstruction", "values", "none"],
)
def test_labels_that_are_no_classes_of_the_model_pass(labels, shape):
    _check_labels(labels, *shape)
