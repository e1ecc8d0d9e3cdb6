# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

from tests.benchmark import models
from tests.scripts import programs
from tests.tflite import handmade

_QUICK = ("--quick", "--launches=1", "--min_secs=0", "--warmup_min_secs=0")


def _run(tmp_path, *arguments):
    return programs.run(
        "benchmark", *arguments, f"--output_dir={tmp_path / 'out'}"
    )


@pytest.fixture
def model(tmp_path):
    return handmade.dense().save(tmp_path / "dense.tflite")


def test_a_folder_of_files_makes_one_table(tmp_path, model):
    custom = models.custom().save(tmp_path / "custom.tflite")
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(model.read_bytes()[:300])
    done = _run(tmp_path, model, custom, damaged, *_QUICK)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[2].startswith("dense")
    assert "MyOp" in next(x for x in lines if x.startswith("custom"))
    assert "whole" in next(x for x in lines if x.startswith("damaged"))
    assert "Traceback" not in done.stderr


def test_a_sweep_has_a_result_for_each_number_of_threads(tmp_path, model):
    arguments = (model, "--num_threads=1,2", "--output=json", *_QUICK)
    done = _run(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [x["options"]["num_threads"] for x in found] == [1, 2]
    again = _run(tmp_path, *arguments, "--resume")
    assert json.loads(again.stdout) == found


def test_extras_are_shown_and_kept(tmp_path, model):
    done = _run(tmp_path, model, "--roofline", "--op_profile", *_QUICK)
    assert done.returncode == 0, done.stderr
    assert "GMAC/s" in done.stdout
    assert "XNNPACK runs 1 of 1 operations in 1 partition." in done.stdout
    out = tmp_path / "out"
    assert (out / "op_profiles" / "dense.threads_1.png").exists()
    assert (out / "roofline" / "dense.threads_1.json").exists()


def test_a_soak_is_one_launch_and_drawn(tmp_path, model):
    done = _run(tmp_path, model, "--soak_s=0.3", "--output=json", "--quick")
    (found,) = json.loads(done.stdout)
    assert len(found["launches"]) == 1
    assert len(found["drift"]) >= 2
    assert (tmp_path / "out" / "benchmarks" / "drift.png").exists()


def test_a_users_inputs_are_known_by_their_content(tmp_path, model):
    path = tmp_path / "mine.npz"
    np.savez(path, x=np.ones((2, 4), np.float32))
    flag = f"--input_npz={path}"
    done = _run(tmp_path, model, flag, "--output=json", *_QUICK)
    (found,) = json.loads(done.stdout)
    assert len(found["options"]["inputs"]["sha256"]) == 64


@pytest.mark.parametrize(
    ("flag", "parts"),
    [
        ("--num_threads=0", ["num_threads=0"]),
        ("--num_threads=many", ["num_threads=many"]),
        ("--num_threads=1,1", ["num_threads=1,1"]),
        ("--cpu_mask=xyz", ["hexadecimal", "'xyz'"]),
        ("--cpu_mask=1000000000000000", ["CPU 60"]),
        ("--input_npz=nothing.npz", ["nothing.npz"]),
        ("--input_shape=x:two", ["x:two"]),
        ("--concurrency=0", ["concurrency=0"]),
        ("--soak_s=-1", ["soak_s=-1"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_flags_are_one_clear_line(tmp_path, model, flag, parts):
    programs.assert_one_error_line(_run(tmp_path, model, flag), *parts)


def test_a_full_disk_is_one_clear_line(tmp_path, model):
    done = programs.run(
        "benchmark",
        model,
        *_QUICK,
        f"--output_dir={tmp_path / 'out'}",
        max_file_bytes=1500,
    )
    programs.assert_one_error_line(done, "File too large")
    assert not list((tmp_path / "out").rglob("*.partial"))
