# SPDX-License-Identifier: Apache-2.0
import json
import shutil

import numpy as np
import pytest

from tests import conftest
from tests.scripts import programs
from tflite_opt.records import files, golden


def _files(run):
    return [
        run.path("artifacts", f"{name}.tflite") for name in conftest.RECIPES
    ]


def test_every_artifact_replays_its_golden_vectors(finished_run):
    done = programs.run(
        "evaluate", *_files(finished_run), "--golden", "--output=json"
    )
    assert done.returncode == 0, done.stderr
    results = [
        golden.GoldenResult.from_json(item) for item in json.loads(done.stdout)
    ]
    assert all(result.ok and result.is_own for result in results)
    for name in conftest.RECIPES:
        delegates = {x.delegate for x in results if x.model.stem == name}
        assert delegates == {"xnnpack", "none"}


@pytest.mark.parametrize("name", ["float32", "int8", "int4"])
def test_a_wrong_scale_of_the_pixels_is_caught(finished_run, tmp_path, name):
    model = tmp_path / "model.tflite"
    shutil.copy(finished_run.path("artifacts", f"{name}.tflite"), model)
    arrays = files.read_npz(
        finished_run.path("artifacts", f"{name}.golden.npz")
    )
    # As an app that leaves out the division.
    arrays["inputs/image"] = arrays["inputs/image"] * np.float32(16)
    files.write_npz(tmp_path / "wrong.npz", arrays)
    done = programs.run("evaluate", model, f"--golden={tmp_path / 'wrong.npz'}")
    assert done.returncode == 1, done.stderr
    assert "FAIL" in done.stdout


def test_golden_vectors_must_be_there(finished_run, tmp_path):
    model = tmp_path / "model.tflite"
    shutil.copy(finished_run.path("artifacts", "int8.tflite"), model)
    done = programs.run("evaluate", "--golden", model)
    programs.assert_one_error_line(done, "model.golden.npz", "No such file")


def test_golden_vectors_must_be_golden_vectors(finished_run, tmp_path):
    path = tmp_path / "foreign.npz"
    np.savez(path, x_train=np.zeros(3))
    model = finished_run.path("artifacts", "int8.tflite")
    done = programs.run("evaluate", model, f"--golden={path}")
    programs.assert_one_error_line(done, "foreign.npz", "x_train")
