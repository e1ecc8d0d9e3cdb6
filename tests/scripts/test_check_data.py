# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np

from tests.scripts import programs
from tflite_opt.records import data_check


def _npz(tmp_path, **changes):
    generator = np.random.default_rng(0)
    ramp = np.linspace(0, 1, 64).reshape(8, 8, 1)
    count = 400
    arrays = {
        "x_train": generator.random((count, 1, 1, 1)) * ramp,
        "y_train": np.arange(count) % 2,
        "x_test": generator.random((20, 1, 1, 1)) * ramp,
        "y_test": np.arange(20) % 2,
    }
    path = tmp_path / "data.npz"
    np.savez(path, **(arrays | changes))
    return f"--dataset=npz:{path}"


def test_good_data_end_with_0(finished_run):
    model = finished_run.path("artifacts", "float32.tflite")
    done = programs.run("check_data", f"--model={model}", "--output=json")
    assert done.returncode == 0, done.stderr
    check = data_check.DataCheck.from_json(json.loads(done.stdout))
    assert check.inputs[0].name == "image"
    assert check.findings == ()


def test_a_warning_ends_with_1(tmp_path):
    done = programs.run("check_data", _npz(tmp_path), "--num_calibration=50")
    assert done.returncode == 1, done.stderr
    assert "warning too-few-samples: 50 representative samples" in done.stdout


def test_data_that_cannot_be_right_end_with_2(tmp_path):
    constant = np.full((400, 8, 8, 1), 0.5)
    done = programs.run("check_data", _npz(tmp_path, x_train=constant))
    programs.assert_one_error_line(done, "must vary", "0.5 in all of 200")


def test_data_must_fit_the_model(tmp_path, finished_run):
    model = finished_run.path("artifacts", "float32.tflite")
    ramp = np.random.default_rng(0).random((400, 9, 9, 1))
    flag = _npz(tmp_path, x_train=ramp, x_test=ramp[:20])
    done = programs.run("check_data", flag, f"--model={model}")
    programs.assert_one_error_line(done, "(8, 8, 1)", "(9, 9, 1)")
