# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tests.scripts import programs
from tflite_opt.data import dataset
from tflite_opt.records import errors
from tflite_opt.studies import pipeline_speed


@pytest.fixture
def setup(finished_run, monkeypatch):
    monkeypatch.chdir(programs.ROOT)
    int8 = finished_run.path("artifacts", "int8.tflite")
    return pipeline_speed.Setup(
        programs="scripts",
        converted_model=int8,
        samples=int8,
        evaluated_model=int8,
        trained_model=programs.ROOT / "models" / "sample_model.h5",
        images=dataset.DataSpec(source="digits"),
        large_model=finished_run.path("artifacts", "float32.tflite"),
        rounds=1,
    )


def test_evaluation_checks_that_both_sides_predict_the_same(setup):
    values = pipeline_speed.measure_evaluation(setup)
    assert values["images"] == 449
    assert values["two_workers_s"] > 0


@pytest.mark.slow
def test_recipes_train_one_by_one_and_at_the_same_time(setup):
    values = pipeline_speed.measure_training(setup)
    expected = values["one_process_s"] / values["two_processes_s"]
    assert values["times_faster"] == expected > 0


def test_start_is_measured_against_tensorflow(setup):
    values = pipeline_speed.measure_start(setup)
    assert values["inspect_model_s"] < values["import_tensorflow_s"]


def test_peak_memory_is_that_of_the_process_not_of_its_parent(setup):
    ballast = bytearray(300_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    peak = pipeline_speed._peak_bytes(
        "scripts.inspect_model", setup.large_model
    )
    assert 10e6 < peak < 200e6


def test_a_program_that_refuses_is_one_clear_error(setup):
    broken = dataclasses.replace(setup, evaluated_model="nothing.tflite")
    with pytest.raises(errors.InputError, match=r"nothing\.tflite"):
        pipeline_speed.measure_start(broken)
