# SPDX-License-Identifier: Apache-2.0
import io
import os
import sys
import time

import pytest

from tests import talking_child
from tflite_opt import child_process

_MODULE = talking_child.__name__


def _is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_events_arrive_as_they_are_reported(tmp_path):
    found = list(
        child_process.events(_MODULE, ["3"], log=tmp_path / "log", timeout_s=30)
    )
    assert [event["count"] for event in found] == [0, 1, 2]


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("crash", "crashed with signal 11"),
        ("fail", "failed: RuntimeError: on purpose"),
    ],
)
def test_a_bad_end_is_told_after_the_events(tmp_path, end, message):
    seen = []
    with pytest.raises(child_process.ChildError, match=message):
        seen.extend(
            child_process.events(
                _MODULE, ["1", end], log=tmp_path / "log", timeout_s=30
            )
        )


def test_silence_is_a_timeout_and_the_end_of_the_child(tmp_path):
    events = child_process.events(
        _MODULE, ["1", "hang"], log=tmp_path / "log", timeout_s=3
    )
    pid = next(events)["pid"]
    with pytest.raises(child_process.ChildError, match="timed out after 3 s"):
        next(events)
    assert not _is_running(pid)


def test_an_interrupted_caller_leaves_no_child(tmp_path):
    events = child_process.events(_MODULE, ["1", "hang"], log=tmp_path / "log")
    pid = next(events)["pid"]
    assert _is_running(pid)
    with pytest.raises(KeyboardInterrupt):
        events.throw(KeyboardInterrupt)
    deadline = time.monotonic() + 5
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _is_running(pid)


def test_without_a_log_the_child_talks_on_stderr(capfd):
    list(child_process.events(_MODULE, ["1"]))
    assert "child speaks" in capfd.readouterr().err


def test_a_notebooks_stderr_is_no_file_and_does(capfd, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    list(child_process.events(_MODULE, ["1"]))
    assert "child speaks" in capfd.readouterr().err


def test_a_program_is_run_to_its_end_and_both_streams_are_returned():
    done = child_process.run(
        ["/bin/sh", "-c", "echo out; printf 'err\\377' >&2; exit 3"],
        timeout_s=30,
    )
    assert (done.returncode, done.stdout) == (3, "out\n")
    assert done.stderr == "err\N{REPLACEMENT CHARACTER}"


def test_a_program_that_takes_too_long_is_killed_with_its_children(tmp_path):
    file = tmp_path / "pid"
    with pytest.raises(child_process.ChildError, match="timed out after 0.5 s"):
        child_process.run(
            ["/bin/sh", "-c", f"sleep 60 & echo $! > {file}; wait"],
            timeout_s=0.5,
        )
    deadline = time.monotonic() + 5
    while _is_running(int(file.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_program_that_is_not_there_is_an_os_error():
    with pytest.raises(FileNotFoundError):
        child_process.run(["/nowhere/program"], timeout_s=30)
