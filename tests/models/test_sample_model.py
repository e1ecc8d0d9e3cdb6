# SPDX-License-Identifier: Apache-2.0
import pathlib

import numpy as np
import pytest

from tflite_opt.data import dataset, sources
from tflite_opt.keras_models import freezing, loading, reference
from tflite_opt.records import files, training


@pytest.fixture(scope="module")
def record() -> training.TrainedModel:
    path = reference.sample_model_path()
    return training.TrainedModel.load(path.with_suffix(".training.json"))


def test_record_is_of_the_committed_file(record):
    path = reference.sample_model_path()
    assert record.artifact.path == path
    assert record.artifact.sha256 == files.sha256_of_file(path)
    assert path.stat().st_size < 1_000_000
    assert record.test.value >= 0.97


def test_card_quotes_the_record(record):
    card = reference.sample_model_path().with_suffix(".md").read_text()
    history = record.history
    kept = history.validation_accuracy[history.kept_epoch - 1]
    test = record.test
    for quoted in (
        f"{record.parameters:,}",
        f"{record.artifact.size_bytes:,} bytes",
        f"{100 * test.value:.1f} %, 95 % interval {100 * test.low:.1f} to "
        f"{100 * test.high:.1f} % (Wilson), {record.num_test} examples",
        f"{100 * kept:.1f} %, {history.num_validation} examples; epoch "
        f"{history.kept_epoch} of {history.epochs}",
        f"{history.num_train:,} examples to train",
        f"--epochs={history.options.epochs}",
        f"--batch_size={history.options.batch_size}",
    ):
        assert quoted in card


def test_make_target_is_the_command_of_the_card():
    root = pathlib.Path(__file__).parents[2]
    makefile = " ".join((root / "Makefile").read_text().split())
    card = (root / "models" / "sample_model.md").read_text()
    command = card.split("python -m scripts.train")[1].split("```")[0]
    assert " ".join(command.split()) in makefile


@pytest.mark.tensorflow
def test_reaches_the_recorded_accuracy(record):
    data = sources.load(
        dataset.DataSpec(source=record.dataset, seed=record.data_seed)
    )
    assert data["test"].fingerprint() == record.test_fingerprint
    model = loading.load(reference.sample_model_path())
    (outputs,) = freezing.predict(model, data["test"].inputs).values()
    accuracy = np.mean(outputs.argmax(axis=1) == data["test"].labels)
    # One example may round to the other side on another processor.
    assert accuracy == pytest.approx(record.test.value, abs=1 / record.num_test)
