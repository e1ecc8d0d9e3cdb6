# SPDX-License-Identifier: Apache-2.0
"""Devices, through the real adb server."""

import hashlib
import os
import pathlib
import re
import threading
import time

import pytest

from android_bench import connection, errors

_REMOTE = "/data/local/tmp/tflite_opt/file"


@pytest.fixture
def content(tmp_path):
    """A file of more than one packet."""
    path = tmp_path / "content"
    path.write_bytes(os.urandom(3_000_001))
    return path


def _wait_until(is_met):
    deadline = time.monotonic() + 10
    while not is_met():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_arguments_reach_the_program_as_they_are(phone):
    _, device = phone
    arguments = ["a b", "$HOME", "it's", '"', "*", "", "ä\\n"]
    done = device.shell(["printf", "<%s>", *arguments])
    assert done.stdout == "".join(f"<{x}>" for x in arguments)


def test_streams_and_exit_codes_are_kept_apart(phone):
    _, device = phone
    done = device.run_script("echo out; echo err >&2; exit 7")
    assert (done.stdout, done.stderr, done.exit_code) == ("out\n", "err\n", 7)


def test_a_signal_is_told_by_the_exit_code(phone):
    _, device = phone
    assert device.run_script("kill -6 $$").exit_code == 128 + 6


def test_a_missing_program_is_no_error_of_the_transport(phone):
    _, device = phone
    done = device.shell(["no_such_program"])
    assert done.exit_code == 127
    assert "not found" in done.stderr


def test_input_reaches_the_program_and_ends(phone):
    _, device = phone
    sent = os.urandom(200_000)
    done = device.shell(["sha256sum"], stdin=sent)
    assert done.stdout.split()[0] == hashlib.sha256(sent).hexdigest()
    assert device.shell(["cat"]).stdout == ""


def test_large_output_is_complete(phone):
    _, device = phone
    done = device.shell(["seq", "300000"])
    assert done.stdout.split() == [str(x) for x in range(1, 300001)]


def test_a_command_that_takes_too_long_is_dead_with_its_children(phone):
    emulated, device = phone
    emulated.faults.survives_hangup = True
    script = "echo before; sleep 60 & sleep 61"
    with pytest.raises(errors.DeviceTimeoutError) as found:
        device.run_script(script, timeout_s=0.5)
    assert str(found.value) == (
        f"A command on {device.serial} took longer than 0.5 s and was killed. "
        f"Received: {script!r}"
    )
    assert found.value.stdout == "before\n"
    _wait_until(lambda: not emulated.processes())


def test_ctrl_c_ends_the_command_on_the_device(phone, monkeypatch):
    emulated, device = phone
    emulated.faults.survives_hangup = True
    read = connection.Connection.read

    def interrupted(self, size):
        found = read(self, size)
        if found == b"started\n":
            monkeypatch.undo()
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(connection.Connection, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        device.run_script("sleep 60 & sleep .2; echo started; sleep 61")
    _wait_until(lambda: not emulated.processes())


def test_a_pushed_file_arrives_whole(phone, content, tmp_path):
    emulated, device = phone
    device.push(content, _REMOTE)
    assert emulated.files() == ["tflite_opt/file"]
    assert len(emulated.pushed) == 1
    expected = hashlib.sha256(content.read_bytes()).hexdigest()
    assert device.sha256(_REMOTE) == expected
    device.pull(_REMOTE, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content.read_bytes()


def test_a_pushed_program_can_be_run(phone, tmp_path):
    _, device = phone
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho ran\n")
    device.push(program, _REMOTE)
    assert device.shell([_REMOTE]).stdout == "ran\n"


def test_files_are_found_and_removed(phone, content):
    _, device = phone
    device.push(content, _REMOTE)
    folder = str(pathlib.PurePosixPath(_REMOTE).parent)
    assert device.exists(_REMOTE)
    assert device.exists(folder)
    device.remove(folder)
    device.remove(folder)
    assert not device.exists(folder)
    assert device.sha256(_REMOTE) is None


def test_a_missing_file_is_not_pulled(phone, tmp_path):
    _, device = phone
    message = (
        f"Cannot read {_REMOTE!r} on {device.serial}: open failed: No such "
        "file or directory."
    )
    with pytest.raises(errors.TransferError, match=re.escape(message)):
        device.pull(_REMOTE, tmp_path / "back")
    assert list(tmp_path.glob("*back*")) == []


def test_a_missing_local_file_is_not_pushed(phone, tmp_path):
    _, device = phone
    with pytest.raises(errors.TransferError, match="Cannot read .*No such"):
        device.push(tmp_path / "missing", _REMOTE)


@pytest.mark.parametrize("path", ["relative", "/", "", "/a\nb"])
def test_paths_must_be_absolute_and_below_the_root(phone, content, path):
    _, device = phone
    for act in (
        device.remove,
        device.exists,
        device.sha256,
        lambda x: device.push(content, x),
    ):
        with pytest.raises(errors.TransferError, match="must be absolute"):
            act(path)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (
            lambda faults: faults.disk_full(1_000_000),
            "write failed: No space left on device. Free space on the device.",
        ),
        (
            lambda faults: faults.deny_push(),
            "couldn't create file: Permission denied. Choose a directory "
            "below /data/local/tmp.",
        ),
    ],
    ids=["disk full", "denied"],
)
def test_the_reason_of_a_failed_push_is_told(phone, content, fault, reason):
    emulated, device = phone
    fault(emulated.faults)
    message = f"Cannot write {_REMOTE!r} on {device.serial}: {reason}"
    with pytest.raises(errors.TransferError, match=re.escape(message)):
        device.push(content, _REMOTE)
    assert not [x for x in emulated.files() if "file" in x]


def test_a_corrupted_push_is_noticed_and_leaves_nothing(phone, content):
    emulated, device = phone
    emulated.faults.corrupt_push(at_byte=2_000_000)
    with pytest.raises(
        errors.TransferError, match="must arrive as it was sent"
    ):
        device.push(content, _REMOTE)
    assert not [x for x in emulated.files() if "file" in x]


def test_a_failed_push_leaves_the_file_that_was_there(phone, content):
    emulated, device = phone
    device.push(content, _REMOTE)
    before = device.sha256(_REMOTE)
    emulated.faults.disk_full()
    with pytest.raises(errors.TransferError):
        device.push(content, _REMOTE)
    assert device.sha256(_REMOTE) == before


def test_a_slow_push_is_waited_for(phone, content):
    emulated, device = phone
    emulated.faults.slow_push(bytes_per_s=6e6)
    device.push(content, _REMOTE)
    assert device.exists(_REMOTE)


def test_a_broken_push_is_a_lost_device_and_can_be_repeated(phone, content):
    emulated, device = phone
    emulated.faults.break_push(after_bytes=1_000_000)
    with pytest.raises(errors.DeviceLostError, match="went away"):
        device.push(content, _REMOTE)
    device.wait(timeout_s=10)
    device.push(content, _REMOTE)
    assert device.exists(_REMOTE)


def test_a_device_lost_in_a_command_is_back_without_what_it_ran(phone):
    emulated, device = phone
    emulated.faults.survives_hangup = True
    emulated.faults.drop_during("sleep 60", after_s=0.2, away_s=0.3)
    with pytest.raises(errors.DeviceLostError) as found:
        device.shell(["sleep", "60"])
    assert str(found.value) == (
        f"{device.serial} went away while it was in use: the connection "
        "ended. Check the cable or the network, then resume."
    )
    assert emulated.processes()
    device.wait(timeout_s=10)
    _wait_until(lambda: not emulated.processes())
    assert device.shell(["echo", "again"]).stdout == "again\n"


def test_a_device_that_stays_away_is_not_waited_for_forever(phone):
    emulated, device = phone
    emulated.faults.drop(away_s=60)
    _wait_until(lambda: not emulated.is_connected)
    with pytest.raises(
        errors.DeviceTimeoutError, match="did not come back in time"
    ):
        device.wait(timeout_s=0.5)
    with pytest.raises(errors.DeviceLostError):
        device.shell(["true"])


def test_a_rebooted_device_is_waited_for(phone):
    emulated, device = phone
    emulated.faults.reboot(away_s=0.3)
    device.wait(timeout_s=10)
    assert device.shell(["echo", "up"]).stdout == "up\n"


def test_a_frozen_device_ends_in_a_time_out(phone):
    emulated, device = phone
    device.shell(["true"])
    emulated.faults.freeze()
    with pytest.raises(errors.DeviceTimeoutError):
        device.shell(["true"], timeout_s=0.5)
    emulated.faults.thaw()


def test_a_revoked_key_is_told_with_the_way_out(phone):
    emulated, device = phone
    emulated.faults.unauthorized()
    with pytest.raises(errors.DeviceError):
        device.shell(["true"])
    emulated.faults.authorize()
    device.wait(timeout_s=10)
    assert device.shell(["true"]).exit_code == 0


def test_one_device_serves_several_threads(phone):
    _, device = phone
    found = []

    def ask(number):
        found.append(device.shell(["echo", str(number)]).stdout.strip())

    threads = [threading.Thread(target=ask, args=(x,)) for x in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [str(x) for x in range(8)]
