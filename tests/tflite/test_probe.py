# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys
import time

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.tflite import handmade
from tflite_opt.records import delegation, errors
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
    # x and y, each in its 64 bytes.
    memory = delegation.TensorMemory(arena_bytes=64 + 12, persistent_bytes=0)
    assert probe.probe(model) == delegation.Delegation(
        delegate="xnnpack",
        partitions=1,
        delegated=((0,),),
        delegate_memory=memory,
        builtin_memory=memory,
    )


def test_given_shapes_are_prepared(model):
    found = probe.probe(model, input_shapes=[(10, 4)])
    # x is 160 bytes in steps of 64, y 120.
    assert found.builtin_memory.arena_bytes == 192 + 120
    assert probe.tensor_shapes(model, [(10, 4)]) == [
        [(10, 4), (3, 4), (3,), (10, 3)]
    ]


def test_shapes_that_cannot_be_prepared_are_an_error(tmp_path):
    builder = handmade.Builder()
    x, y = builder.tensor((1, 4)), builder.tensor((1, 4))
    constant = builder.tensor((4,), values=np.ones(4, np.float32))
    options = schema.AddOptionsT()
    builder.operator("ADD", (x, constant), (y,), options=options)
    builder.ends((x,), (y,))
    path = builder.save(tmp_path / "model.tflite")
    with pytest.raises(errors.ModelError, match="for these inputs"):
        probe.tensor_shapes(path, [(1, 5)])


def test_a_crash_while_finding_shapes_is_an_error(model, tmp_path, monkeypatch):
    _replace_child(monkeypatch, tmp_path, "kill -SEGV $$")
    with pytest.raises(errors.ModelError, match="signal 11"):
        probe.tensor_shapes(model, [(10, 4)])


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
