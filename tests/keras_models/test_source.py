# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.data import dataset
from tflite_opt.keras_models import reference, source
from tflite_opt.records import errors, files, run_directory, training

_DIGITS = dataset.DataSpec(source="digits", limit=60, num_calibration=20)
_OPTIONS = training.TrainingOptions(epochs=1)


def _take(model, run, *, data=_DIGITS, options=_OPTIONS, fingerprint="f"):
    choice = source.Choice(model=model)
    found = source.take_model(choice, data, fingerprint, options, run)
    return found.artifact


@pytest.fixture
def run(tmp_path):
    return run_directory.RunDirectory.create(tmp_path / "run", command="test")


def test_without_a_model_it_is_the_sample(run):
    found = _take(None, run)
    path = reference.sample_model_path()
    assert found.sha256 == files.sha256_of_file(path)


def test_a_reference_model_is_trained_once(run):
    first = _take("sample_cnn", run)
    time = first.path.stat().st_mtime_ns
    assert first.path.is_relative_to(run.root)
    assert _take("sample_cnn", run) == first
    assert first.path.stat().st_mtime_ns == time


def test_other_data_train_it_again(run):
    first = _take("sample_cnn", run)
    time = first.path.stat().st_mtime_ns
    _take("sample_cnn", run, fingerprint="g")
    assert first.path.stat().st_mtime_ns != time


def test_what_goes_wrong_in_training_reaches_the_caller(run):
    options = training.TrainingOptions(epochs=2, learning_rate=1e38)
    with pytest.raises(errors.InputError, match="learning_rate"):
        _take("sample_cnn", run, options=options)


def test_a_split_that_leaks_training_examples_is_refused(run):
    other = dataset.DataSpec(source="digits", seed=1)
    with pytest.raises(errors.InputError, match="--data_seed=0"):
        _take(None, run, data=other)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet9", "resnet8"),
        ("nothing.h5", "No model at"),
        ("no/such/thing", "No model at"),
        ("tests", "SavedModel directory.*without saved_model.pb"),
        ("README.md", r"\.keras.*Received: 'README.md'"),
        ("no_module:build", "No module 'no_module'"),
    ],
)
def test_what_is_no_model_is_one_clear_error(run, name, message):
    with pytest.raises(errors.ModelError, match=message):
        _take(name, run)


@pytest.mark.parametrize(
    ("file", "format"),
    [
        ("m.h5", "keras"),
        ("m.keras", "keras"),
        ("m.tflite", "tflite"),
        ("m.pt2", "pytorch"),
        ("m/saved_model.pb", "saved_model"),
    ],
)
def test_a_model_is_told_by_its_file(run, tmp_path, file, format):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"content")
    model = path.parent if path.name == "saved_model.pb" else path
    assert _take(str(model), run).format == format


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("m.onnx", "pip install onnx2tf.*give the float32 .tflite"),
        ("m.weights.h5", "--model=package.module:function --weights="),
    ],
)
def test_a_file_that_needs_another_route_names_it(run, tmp_path, file, message):
    path = tmp_path / file
    path.write_bytes(b"content")
    with pytest.raises(errors.ModelError, match=message):
        _take(str(path), run)


def test_a_function_is_known_by_its_module_and_weights(run, tmp_path):
    weights = tmp_path / "a.weights.h5"
    weights.write_bytes(b"first")
    name = "tests.keras_models.keras3_models:builder"

    def hash_of(**choice):
        return source.take_model(
            source.Choice(model=name, **choice), _DIGITS, "f", _OPTIONS, run
        ).artifact.sha256

    without, first = hash_of(), hash_of(weights=str(weights))
    weights.write_bytes(b"second")
    assert len({without, first, hash_of(weights=str(weights))}) == 3


def test_weights_without_a_function_are_refused(run):
    choice = source.Choice(weights="a.weights.h5")
    with pytest.raises(errors.ModelError, match="that a function returns"):
        source.take_model(choice, _DIGITS, "f", _OPTIONS, run)
