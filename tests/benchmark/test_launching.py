# SPDX-License-Identifier: Apache-2.0
"""Faults of launches, and files of every kind."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests import process_state
from tests.benchmark import models
from tests.scripts import programs
from tests.tflite import handmade
from tflite_opt.benchmark import desktop, launching
from tflite_opt.records import artifact, benchmark, errors, files

_QUICK = benchmark.RuntimeOptions(
    launches=1,
    warmup_runs=0,
    warmup_min_secs=0.0,
    warmup_max_secs=0.01,
    num_runs=3,
    min_secs=0.0,
    check=False,
)


def _artifact(builder, path):
    return artifact.describe(builder.save(path), format="tflite")


def _measure(builder, tmp_path, **options):
    item = _artifact(builder, tmp_path / "model.tflite")
    chosen = dataclasses.replace(_QUICK, **options)
    (found,) = desktop.DesktopRunner().run([item], chosen, tmp_path)
    return found


def _replace_launch(monkeypatch, tmp_path, body):
    script = tmp_path / "child.sh"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


@pytest.mark.parametrize(
    "builder",
    [
        handmade.dense(),
        handmade.quantize(0.1, 3),
        handmade.quantize(0.1, 130, "uint8"),
        models.embedding(),
        models.embedding(dtype="int64"),
        models.two_signatures(),
        models.open_dense(),
        models.cast("float32", "int64"),
        models.cast("bool", "int32"),
        models.cast("uint8", "float32"),
    ],
    ids=[
        "float",
        "int8",
        "uint8",
        "token ids",
        "int64 ids",
        "two signatures",
        "open",
        "int64 output",
        "bool",
        "uint8 input",
    ],
)
def test_files_of_every_kind_are_measured_and_checked(builder, tmp_path):
    found = _measure(builder, tmp_path, check=True)
    assert isinstance(found, benchmark.BenchmarkResult), found
    assert found.latency.num_samples == 3
    assert not [text for text in found.warnings if "checked" in text]


@pytest.mark.parametrize(
    ("builder", "parts"),
    [
        (models.custom(), ["MyOp"]),
        (models.custom("FlexErf"), ["FlexErf"]),
        (models.text(), ["dtype=string", "'words'"]),
    ],
    ids=["custom", "flex", "text"],
)
def test_what_cannot_be_measured_is_refused_with_its_reason(
    builder, parts, tmp_path
):
    found = _measure(builder, tmp_path)
    assert isinstance(found, benchmark.BenchmarkFailure)
    assert all(part in found.message for part in parts)
    assert "\n" not in found.message


def test_another_signature_can_be_chosen(tmp_path):
    found = _measure(models.two_signatures(), tmp_path, signature="triple")
    assert found.partitions is None
    missing = _measure(models.two_signatures(), tmp_path, signature="half")
    assert "'double', 'triple'" in missing.message


def test_open_dimensions_get_the_given_sizes(tmp_path):
    builder = models.open_dense()
    item = _artifact(builder, tmp_path / "model.tflite")
    options = dataclasses.replace(_QUICK, input_shapes={"x": (9, 4)})
    job = launching.prepare(item, options, tmp_path / "inputs.npz")
    assert files.read_npz(job.inputs)["0"].shape == (9, 4)
    assert launching.specification(job)["resized_to"] == [[9, 4]]
    found = _measure(builder, tmp_path, dynamic_dimension=5, check=True)
    assert isinstance(found, benchmark.BenchmarkResult)


def test_the_first_of_the_users_examples_is_run(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, x=np.arange(12, dtype=np.float32).reshape(3, 4))
    item = _artifact(handmade.dense(), tmp_path / "model.tflite")
    given = benchmark.InputFile(path=path, sha256=files.sha256_of_file(path))
    options = dataclasses.replace(_QUICK, inputs=given)
    job = launching.prepare(item, options, tmp_path / "inputs.npz")
    assert files.read_npz(job.inputs)["0"].tolist() == [[0, 1, 2, 3]]


def test_a_launch_that_crashes_names_the_signal(tmp_path, monkeypatch):
    _replace_launch(monkeypatch, tmp_path, "kill -SEGV $$")
    found = _measure(handmade.dense(), tmp_path)
    assert "crashed with signal 11" in found.message


def test_a_launch_that_fails_gives_its_last_line(tmp_path, monkeypatch):
    _replace_launch(monkeypatch, tmp_path, "echo on purpose >&2; exit 1")
    found = _measure(handmade.dense(), tmp_path)
    assert found.message.endswith("failed: on purpose")


def test_a_launch_that_hangs_is_killed_with_its_children(tmp_path, monkeypatch):
    pid_file = tmp_path / "pid"
    _replace_launch(
        monkeypatch, tmp_path, f"sleep 600 & echo $! > {pid_file}; wait"
    )
    found = _measure(handmade.dense(), tmp_path, timeout_s=0.5)
    assert "took longer than 0.5 s and was killed" in found.message
    assert _is_gone(int(pid_file.read_text()))


def _is_gone(pid):
    for _ in range(100):
        if process_state.is_gone(pid):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=str)
def test_no_launch_outlives_its_program_and_what_is_done_is_kept(
    sent, tmp_path
):
    handmade.dense().save(tmp_path / "model.tflite")
    output = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.benchmark"]
        + [str(tmp_path / "model.tflite"), f"--output_dir={output}"]
        + ["--quick", "--launches=9", "--nocheck"],
        cwd=programs.ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    launches = output / "benchmarks" / "launches"
    child = None
    while process.poll() is None:
        done = [p for p in launches.glob("*.npz") if "inputs" not in p.name]
        child = _child_of(process.pid)
        if done and child:
            process.send_signal(sent)
            break
        time.sleep(0.01)
    _, stderr = process.communicate(timeout=20)
    assert _is_gone(child)
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert stderr.splitlines()[-1] == "error: Interrupted."
    assert [p for p in launches.glob("*.npz") if "inputs" not in p.name]


def _child_of(pid):
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    found = children.read_text().split() if children.exists() else []
    return int(found[0]) if found else None


def test_a_full_disk_is_one_clear_error(tmp_path, monkeypatch):
    model = _artifact(handmade.dense(), tmp_path / "model.tflite")

    def full(path, content):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    with pytest.raises(errors.OutputError, match="No space left on device"):
        desktop.DesktopRunner().run([model], _QUICK, tmp_path)
