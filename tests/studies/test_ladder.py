# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests import in_process
from tests.post_training import models
from tflite_opt.data import dataset
from tflite_opt.post_training import divergence
from tflite_opt.records import benchmark, measurement, training
from tflite_opt.studies import ladder, ladder_table, rescaled


def _record(cell, values):
    return measurement.Measurement(
        study="ladder",
        cell=cell,
        values=values,
        rounds=1,
        device="here",
        versions={},
        commit="",
    )


def _climb(loss):
    values = {"float_accuracy": 0.9, "num_test": 10_000.0}
    for name in ("auto", "rung.int8"):
        values |= {
            f"{name}.bytes": 1234.0,
            f"{name}.loss_points": loss,
            f"{name}.low_points": loss - 0.2,
            f"{name}.high_points": loss + 0.2,
            f"{name}.agreement": 0.98,
        }
    return values | {"auto.seconds": 30.0, "rung.int8.taken": 1.0}


def test_the_tables_have_rungs_points_and_what_is_missing():
    point = {
        "bytes": 900.0,
        "int4": 2.0,
        "prefix": 0.0,
        "divergence": 0.01,
        "agreement": 0.9,
        "loss_points": 1.5,
        "ms": 0.25,
        "is_optimal": 1.0,
    }
    found = {
        "a.0": _record("a.0", _climb(0.1)),
        "a.front.0": _record(
            "a.front.0", {f"point.0.{k}": x for k, x in point.items()}
        ),
        "a.1": _record("a.1", _climb(0.3)),
        "a.front.1": None,
        "b.0": None,
    }
    lines = list(ladder_table.describe(found))
    assert lines[4] == (
        "| a | 2 of 2 | auto | +0.20 | -0.10 to +0.30 | 98.00% |  | 1,234 | "
        "30.0 |  |"
    )
    assert lines[5].endswith("| 2 of 2 |")
    assert lines[6].startswith("| b | missing |")
    assert lines[-2] == (
        "| a, 0 | 900 | 2 | 0 | 1.0e-02 | 90.00% | +1.50 | 0.250 | yes |"
    )
    assert lines[-1].startswith("| a, 1 | missing |")


def test_rescaling_keeps_the_function_and_spoils_int8(tmp_path):
    network = models.Network((8, 8, 3))
    network.conv(8, kernel=3, activation=models.NONE)
    network.depthwise(activation=models.NONE)
    network.dense(4)
    network.softmax()
    plain = network.save(tmp_path / "plain.tflite")
    path = tmp_path / "rescaled.tflite"
    assert rescaled.rescale(plain, path, largest_factor=100.0, seed=0) == 1
    inputs = models.examples(40)
    assert divergence.distance(plain, path, inputs).divergence < 1e-9
    before, after = (
        divergence.distance(
            parent,
            models.quantized(parent, tmp_path / f"{parent.stem}_int8.tflite"),
            inputs,
        ).divergence
        for parent in (plain, path)
    )
    assert after > 3 * before


def test_channels_before_a_relu6_are_not_rescaled(tmp_path):
    network = models.Network((8, 8, 3))
    network.conv(4)
    network.depthwise()
    plain = network.save(tmp_path / "plain.tflite")
    path = tmp_path / "same.tflite"
    assert rescaled.rescale(plain, path, largest_factor=100.0, seed=0) == 0
    assert path.read_bytes() == plain.read_bytes()


@pytest.mark.slow
@pytest.mark.tensorflow
def test_cells_train_climb_and_measure(tmp_path, monkeypatch):
    in_process.children(monkeypatch, tmp_path)
    setup = ladder.Setup(
        cases={
            "digits": ladder.Case(
                model="ds_cnn",
                model_options={"filters": 8},
                data=dataset.DataSpec(source="digits", num_calibration=40),
                training=training.TrainingOptions(epochs=2, batch_size=64),
                is_rescaled=True,
            )
        },
        seeds=(3,),
        work_dir=tmp_path / "work",
        num_points=3,
        runtime=benchmark.RuntimeOptions(
            launches=1, num_runs=5, min_secs=0.0, warmup_min_secs=0.0
        ),
    )
    cells = ladder.cells(setup)
    assert list(cells) == ["digits.3", "digits.front.3"]
    climbed, front = (cell() for cell in cells.values())
    assert climbed["rung.int8.taken"] == 1
    for name in (ladder.AUTO, ladder.WITHOUT):
        assert climbed[f"{name}.bytes"] > 0
    assert "rung.bias_correction.bytes" in climbed
    assert "rung.equalization.bytes" not in climbed
    assert front["point.0.bytes"] < front["point.1.bytes"]
    assert all(np.isfinite(x) for x in {**climbed, **front}.values())
