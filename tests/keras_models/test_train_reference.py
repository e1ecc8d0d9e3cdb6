# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tflite_opt.data import dataset
from tflite_opt.keras_models import loading, train_reference
from tflite_opt.records import errors, files, training


def request(path, **fields):
    return train_reference.Request(
        **{
            "model": "sample_cnn",
            "model_options": {"filters": 4},
            "data": dataset.DataSpec(source="digits", limit=60),
            "options": training.TrainingOptions(epochs=2, batch_size=20),
            "path": path,
        }
        | fields
    )


@pytest.mark.tensorflow
def test_writes_the_model_and_its_record(tmp_path):
    path = tmp_path / "new" / "digits.h5"
    record = train_reference.train(request(path))
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "digits.h5",
        "digits.training.json",
    ]
    stored = path.with_name("digits.training.json")
    assert training.TrainedModel.load(stored) == record
    assert record.artifact.sha256 == files.sha256_of_file(path)
    assert record.history.epochs == 2
    assert record.test.low < record.test.value < record.test.high
    assert record.num_test == 60
    assert record.model_options == {"filters": 4}
    assert loading.load(path).count_params() == record.parameters
    text = stored.read_text()
    assert str(tmp_path) not in text


def test_an_option_may_be_a_switch(tmp_path):
    switched = request(
        tmp_path / "m.h5",
        model="mobilenet_v1",
        model_options={"sparse_friendly": True, "width_multiplier": 0.5},
    )
    assert train_reference.Request.from_json(switched.to_json()) == switched


@pytest.mark.tensorflow
def test_what_was_trained_before_a_kill_is_not_trained_again(
    tmp_path, monkeypatch
):
    path = tmp_path / "digits.h5"
    wanted = train_reference.train(request(tmp_path / "other.h5"))

    def kill(model, path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(train_reference.saving, "save", kill)
        with pytest.raises(KeyboardInterrupt):
            train_reference.train(request(path))
    assert request(path).checkpoint_dir.is_dir()
    lines = []
    monkeypatch.setattr(
        train_reference.training.training_callbacks._LOG, "info", lines.append
    )
    found = train_reference.train(request(path))
    assert not lines
    assert found.history.loss == wanted.history.loss
    assert found.artifact.sha256 == wanted.artifact.sha256
    assert not request(path).checkpoint_dir.exists()


@pytest.mark.tensorflow
def test_an_autoencoder_is_tested_on_telling_anomalies(tmp_path):
    record = train_reference.train(
        request(
            tmp_path / "m.h5",
            model="autoencoder",
            model_options={"units": 32},
            data=dataset.DataSpec(source="vibration", limit=400),
            options=training.TrainingOptions(epochs=15, batch_size=16),
        )
    )
    assert record.test.name == "auc"
    assert record.test.value > 0.7
    assert record.num_test == 400
    assert record.history.objective == "reconstruction"
    assert record.history.num_validation == 300
    assert training.TrainedModel.load(tmp_path / "m.training.json") == record


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("model", "source", "message"),
    [
        (
            "autoencoder",
            "digits",
            "autoencoder learns from normal examples, label 0, and is tested "
            "on how well it tells anomalies, label 1. Received: labels [0, 1, "
            "2, 3, 4, 5, 6, 7, 8, 9] in train and [0, 1, 2, 3, 4, 5, 6, 7, 8, "
            "9] in test of digits. Its own data set is vibration.",
        ),
        (
            "transformer_encoder",
            "digits",
            "transformer_encoder needs tokens (length) and integer token ids. "
            "Received: image (8, 8, 1), num_classes=10. Its own data set is "
            "tokens.",
        ),
        (
            "autoencoder",
            "tokens",
            "autoencoder learns from normal examples, label 0, and is tested "
            "on how well it tells anomalies, label 1. Received: labels [0, 1, "
            "2, 3] in train",
        ),
        ("cnn_1d", "graphs", "cnn_1d needs sequence (steps, channels)."),
    ],
)
def test_refuses_data_that_are_not_for_the_model(
    tmp_path, model, source, message
):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        train_reference.train(
            request(
                tmp_path / "m.h5",
                model=model,
                model_options={},
                data=dataset.DataSpec(source=source, limit=60),
            )
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.tensorflow
def test_the_same_request_gives_the_same_file(tmp_path):
    first = train_reference.train(request(tmp_path / "a" / "m.h5"))
    again = train_reference.train(request(tmp_path / "b" / "m.h5"))
    assert first.artifact.sha256 == again.artifact.sha256


@pytest.mark.parametrize("existing", ["m.h5", "m.training.json"])
def test_refuses_to_replace_a_file(tmp_path, existing):
    (tmp_path / existing).write_text("mine")
    with pytest.raises(errors.OutputError, match=re.escape(existing)):
        train_reference.train(request(tmp_path / "m.h5"))
    assert (tmp_path / existing).read_text() == "mine"


@pytest.mark.tensorflow
def test_replaces_files_when_told(tmp_path):
    (tmp_path / "m.h5").write_text("old")
    (tmp_path / "m.training.json").write_text("old")
    train_reference.train(request(tmp_path / "m.h5", overwrite=True))
    record = training.TrainedModel.load(tmp_path / "m.training.json")
    assert record.artifact.size_bytes == (tmp_path / "m.h5").stat().st_size


@pytest.mark.tensorflow
def test_a_diverged_training_writes_nothing(tmp_path):
    x = np.full((20, 8, 8, 1), 1e38, np.float32)
    y = np.arange(20) % 2
    np.savez(tmp_path / "d.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    (tmp_path / "m.h5").write_text("old")
    with pytest.raises(errors.TfliteOptError):
        train_reference.train(
            request(
                tmp_path / "m.h5",
                data=dataset.DataSpec(
                    source=f"npz:{tmp_path}/d.npz", num_calibration=5
                ),
                overwrite=True,
            )
        )
    assert (tmp_path / "m.h5").read_text() == "old"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": "vgg"}, "`model` must be one of autoencoder, cnn_1d"),
        ({"data": dataset.DataSpec(source="x")}, "`source` must be one of"),
    ],
    ids=["model", "data"],
)
def test_rejects_before_importing_tensorflow(tmp_path, fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        train_reference.train(request(tmp_path / "m.h5", **fields))
    assert list(tmp_path.iterdir()) == []


def test_rejects_another_suffix(tmp_path):
    with pytest.raises(errors.ModelError, match="must end in"):
        train_reference.train(request(tmp_path / "m.tflite"))
