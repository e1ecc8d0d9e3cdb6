# SPDX-License-Identifier: Apache-2.0
import os
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
