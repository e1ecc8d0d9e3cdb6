# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys
import time

import pytest

from tests.tflite import handmade
from tflite_opt.records import facts
from tflite_opt.tflite import probe


@pytest.fixture
def model(tmp_path):
    return handmade.dense().save(tmp_path / "model.tflite")


def _replace_child(monkeypatch, tmp_path, body):
    """Makes the child a script that gets the delegates from argument 5."""
    script = tmp_path / "child.sh"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


def test_counts_partitions(model):
    assert probe.probe(model) == facts.Delegation(
        delegate="xnnpack", partitions=1
    )


def test_works_from_any_directory(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    relative = pathlib.Path(model.name)
    assert probe.probe(relative).partitions == 1


def test_a_file_that_is_no_model_is_a_fact(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"garbage")
    found = probe.probe(path)
    assert found.partitions is None
    assert "a file of 7 bytes" in found.delegate_error
    assert "a file of 7 bytes" in found.builtin_error


def test_a_crash_is_recorded_for_both(model, tmp_path, monkeypatch):
    _replace_child(monkeypatch, tmp_path, "kill -SEGV $$")
    found = probe.probe(model)
    assert found.partitions is None
    assert found.delegate_error == "crashed the interpreter (signal 11)"
    assert found.builtin_error == "crashed the interpreter (signal 11)"


def test_what_was_reported_before_a_crash_is_kept(model, tmp_path, monkeypatch):
    line = '{"delegate": "xnnpack", "partitions": 3, "error": ""}'
    _replace_child(monkeypatch, tmp_path, f"echo '{line}'; kill -ABRT $$")
    found = probe.probe(model)
    assert found.partitions == 3
    assert found.delegate_error == ""
    assert found.builtin_error == "crashed the interpreter (signal 6)"


def test_builtin_is_tried_after_xnnpack_crashed(model, tmp_path, monkeypatch):
    line = '{"delegate": "none", "partitions": 0, "error": ""}'
    _replace_child(
        monkeypatch,
        tmp_path,
        f"[ \"$5\" = none ] && echo '{line}' || kill -SEGV $$",
    )
    found = probe.probe(model)
    assert found.delegate_error == "crashed the interpreter (signal 11)"
    assert found.builtin_error == ""


def test_a_child_that_hangs_is_killed(model, tmp_path, monkeypatch):
    _replace_child(monkeypatch, tmp_path, "exec sleep 60")
    start = time.monotonic()
    found = probe.probe(model, timeout_s=0.2)
    assert time.monotonic() - start < 30
    assert found.delegate_error == "did not end within 0.2 s"
    assert found.builtin_error == "did not end within 0.2 s"


def test_a_child_that_fails_gives_its_last_line(model, tmp_path, monkeypatch):
    _replace_child(
        monkeypatch, tmp_path, "echo first >&2; echo last >&2; exit 1"
    )
    found = probe.probe(model)
    assert found.delegate_error == "failed with exit code 1: last"
