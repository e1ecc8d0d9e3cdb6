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
        ("tests", r"\.keras"),
    ],
)
def test_what_is_no_model_is_one_clear_error(run, name, message):
    with pytest.raises(errors.ModelError, match=message):
        _take(name, run)
