# SPDX-License-Identifier: Apache-2.0
import pathlib

import pytest

from tests import in_process
from tflite_opt.data import dataset
from tflite_opt.records import measurement, training
from tflite_opt.studies import training_compression


def _record(cell, **values):
    return measurement.Measurement(
        study="compression",
        cell=cell,
        values=values,
        rounds=1,
        device="here",
        versions={},
        commit="",
    )


def _cells():
    def values(accuracy, gzip_bytes, **others):
        return {
            "test_accuracy": accuracy,
            "loss_points": 100 * (0.93 - accuracy),
            "size_bytes": 1000.0,
            "gzip_bytes": gzip_bytes,
            "epochs": 6.0,
            "seconds": 60.0,
        } | others

    return {
        "int8.0": _record("int8.0", **values(0.93, 1000.0)),
        "int8.1": _record("int8.1", **values(0.92, 800.0)),
        "prune.0": _record("prune.0", **values(0.92, 500.0, zero_fraction=0.8)),
        "prune.1": _record("prune.1", **values(0.90, 480.0, zero_fraction=0.8)),
        "late.0": None,
        "late.1": None,
    }


def test_files_are_compared_with_those_of_their_seed():
    found = training_compression.summarize(_cells())
    mean, spread = found["prune"]["gzip_over_int8"]
    assert mean == pytest.approx((0.5 + 0.6) / 2)
    assert spread == pytest.approx(0.1 / 2**0.5)
    assert set(found) == {"int8", "prune"}


def test_the_table_has_means_spreads_and_what_is_missing():
    lines = list(training_compression.describe(_cells()))
    assert len(lines) == 5
    assert lines[3].startswith(
        "| prune | 2 of 2 | 91.00% ± 1.41% | +2.00 ± 1.41 | 1,000 | 490 ± 14 "
        "| 55.0% ± 7.1% | 80.0% ± 0.0% |"
    )
    assert lines[4].startswith("| late | missing |")


@pytest.mark.tensorflow
def test_a_cell_trains_converts_and_tests(tmp_path, monkeypatch):
    in_process.children(monkeypatch, tmp_path)
    options = training.TrainingOptions(epochs=1, batch_size=64)
    setup = training_compression.Setup(
        model="sample_cnn",
        model_options={"filters": 8},
        data=dataset.DataSpec(source="digits", limit=128, num_calibration=20),
        training=options,
        fine_tuning=options,
        seeds=(3,),
        recipes=("float32", "int8"),
        work_dir=pathlib.Path(tmp_path / "work"),
    )
    found = training_compression.cells(setup)
    assert list(found) == ["float32.3", "int8.3"]
    baseline, int8 = (cell() for cell in found.values())
    assert baseline["loss_points"] == 0
    assert baseline["num_test"] == int8["num_test"] == 128
    assert int8["size_bytes"] < baseline["size_bytes"]
    assert int8["epochs"] == 0
    assert "zero_fraction" not in int8
