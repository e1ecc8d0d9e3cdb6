# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.data import dataset
from tflite_opt.records import measurement
from tflite_opt.studies import (
    signal,
    step_time,
    trained_stock_model,
    training_coverage,
)


def _record(cell, **values):
    return measurement.Measurement(
        study="coverage",
        cell=cell,
        values=values,
        rounds=5,
        device="here",
        versions={},
        commit="",
    )


_MODEL = {
    "tf_mot_quantizes": 0.0,
    "tf_mot_prunes": 1.0,
    "pruned_weight_fraction": 0.9,
    "zero_fraction": 0.5,
    "int8_weight_fraction": 1.0,
    "signal_to_noise_db": 7.25,
    "variation_to_noise_db": 1.5,
    "top1_agreement": 0.8,
    "qat_seconds": 10.0,
}


def test_the_page_has_models_steps_and_what_is_missing():
    steps = {"float_ms": 20.0, "pruning_ms": 21.0, "clustering_ms": 24.0}
    steps["quantization_aware_training_ms"] = 22.0
    lines = list(
        training_coverage.describe(
            {
                "A": _record("A", **_MODEL),
                "B": None,
                "steps": _record("steps", **steps),
            }
        )
    )
    assert "| A | no | 100.0% | 7.2 | 1.5 | 80.0% | yes | 90.0% |" in lines
    assert "| B | missing | | | | | | |" in lines
    assert "| pruning | 21.0 | 1.05 |" in lines
    missing = list(training_coverage.describe({"steps": None}))
    assert missing[-1] == "The time of a step is missing."


def test_there_is_a_cell_for_each_stock_model_and_the_steps():
    setup = training_coverage.Setup(source="digits", image_size=96, rounds=1)
    cells = training_coverage.cells(setup)
    assert len(cells) == 12
    assert training_coverage.STEPS in cells


def test_noise_is_told_in_decibels():
    signal_values = np.full(10, 10.0)
    assert signal.to_noise_db(signal_values, signal_values + 1) == (
        pytest.approx(20)
    )


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_stock_model_is_trained_by_each_technique(tmp_path):
    generator = np.random.default_rng(0)
    path = tmp_path / "images.npz"
    np.savez(
        path,
        **{
            "x_train/image": generator.random((300, 64, 64, 3), np.float32)
            * 255,
            "y_train": np.arange(300) % 10,
            "x_test/image": generator.random((16, 64, 64, 3), np.float32) * 255,
            "y_test": np.arange(16) % 10,
        },
    )
    found = trained_stock_model.measure(
        trained_stock_model.Request(
            name="MobileNetV3Small",
            data=dataset.DataSpec(source=f"npz:{path}", num_calibration=16),
        )
    )
    assert found["tf_mot_quantizes"] == found["tf_mot_prunes"] == 0
    assert found["int8_weight_fraction"] == 1
    assert found["zero_fraction"] == pytest.approx(0.5, abs=0.001)
    assert found["pruned_weight_fraction"] > 0.9


@pytest.mark.slow
@pytest.mark.tensorflow
def test_steps_of_all_techniques_are_timed():
    found = step_time.measure(rounds=1)
    assert set(found) == {f"{name}_ms" for name in step_time.TECHNIQUES}
    assert all(value > 0 for value in found.values())
