# SPDX-License-Identifier: Apache-2.0
"""Phones as the adb program itself sees them."""

import os
import time

import pytest

_TMP = "/data/local/tmp"


@pytest.fixture
def connected(make_phones):
    """One phone and adb commands for it."""
    made = make_phones(1)

    def run(*arguments):
        return made.adb.run("-s", made[0].serial, *arguments)

    return made[0], run


def test_adb_pushes_and_pulls(connected, tmp_path):
    phone, adb = connected
    local = tmp_path / "local"
    local.write_bytes(os.urandom(2_000_000))
    assert "1 file pushed" in adb("push", str(local), f"{_TMP}/a/b").stderr
    assert phone.files() == ["a/b"]
    assert adb("pull", f"{_TMP}/a/b", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back").read_bytes() == local.read_bytes()


def test_adb_pulls_whole_directories(connected, tmp_path):
    _, adb = connected
    adb("shell", f"mkdir {_TMP}/d; echo 1 > {_TMP}/d/x; echo 2 > {_TMP}/d/y")
    assert adb("pull", f"{_TMP}/d", str(tmp_path)).returncode == 0
    assert (tmp_path / "d" / "y").read_text() == "2\n"


def test_adb_is_told_why_a_push_failed(connected, tmp_path):
    phone, adb = connected
    (tmp_path / "x").write_bytes(bytes(1000))
    phone.faults.disk_full()
    done = adb("push", str(tmp_path / "x"), f"{_TMP}/x")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    done = adb("push", str(tmp_path / "x"), "/system/x")
    assert "Permission denied" in done.stderr


def test_adb_gets_exit_codes_and_binary_output(connected):
    _, adb = connected
    assert adb("shell", "exit 7").returncode == 7
    done = adb("shell", "echo out; echo err >&2")
    assert (done.stdout, done.stderr) == ("out\n", "err\n")
    assert adb("exec-out", "printf 'a\\nb'").stdout == "a\nb"


def test_services_that_there_are_not_are_refused(connected):
    _, adb = connected
    assert adb("reverse", "tcp:1", "tcp:2").returncode == 1
    assert adb("shell", "echo", "still here").stdout == "still here\n"


def test_commands_of_the_phone_shadow_those_of_this_machine(connected):
    _, adb = connected
    for command, printed in (
        ("getprop ro.product.model", "Pixel-like\n"),
        ("getprop no.such.property", "\n"),
        ("id -u", "2000\n"),
        ("cat /sys/devices/system/cpu/online", "0-8\n"),
        ("settings get global stay_on_while_plugged_in", "0\n"),
        ("cmd connectivity airplane-mode", "disabled\n"),
    ):
        assert adb("shell", command).stdout == printed, command
    assert adb("shell", "python3 -V").returncode == 127
    assert "Can't find service" in adb("shell", "dumpsys nothing").stderr


def test_settings_are_kept_and_deleted(connected):
    phone, adb = connected
    adb("shell", "settings put system screen_brightness '1 2'")
    assert phone.settings("system") == {"screen_brightness": "1 2"}
    listed = adb("shell", "settings list system").stdout
    assert listed == "screen_brightness=1 2\n"
    adb("shell", "settings delete system screen_brightness")
    assert adb("shell", "settings get system screen_brightness").stdout == (
        "null\n"
    )
    assert adb("shell", "settings get nowhere x").returncode == 255


def test_modes_are_switched(connected):
    phone, adb = connected
    phone.change(is_awake=False)
    adb("shell", "svc power stayon usb")
    assert phone.settings()["stay_on_while_plugged_in"] == "2"
    assert "=Awake" in adb("shell", "dumpsys power").stdout
    adb("shell", "input keyevent KEYCODE_SLEEP")
    assert "=Asleep" in adb("shell", "dumpsys power").stdout
    adb("shell", "cmd power set-fixed-performance-mode-enabled true")
    assert phone.has_fixed_performance()
    adb("shell", "cmd connectivity airplane-mode enable")
    assert phone.settings()["airplane_mode_on"] == "1"
    adb("shell", "cmd thermalservice override-status 3")
    assert "Thermal Status: 3" in adb("shell", "dumpsys thermalservice").stdout
    adb("shell", "cmd thermalservice reset")
    assert "Thermal Status: 0" in adb("shell", "dumpsys thermalservice").stdout


def test_masks_of_offline_cpus_only_are_refused(connected):
    phone, adb = connected
    phone.change(offline_cpus=(8,))
    assert adb("shell", "taskset f0 echo ran").stdout == "ran\n"
    assert adb("shell", "taskset 180 echo ran").stdout == "ran\n"
    done = adb("shell", "taskset 100 echo ran")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Invalid argument" in done.stderr


def test_several_phones_keep_their_files_apart(phones):
    for index, emulated in enumerate(phones.phones):
        phones.adb.run(
            "-s", emulated.serial, "shell", f"echo {index} > {_TMP}/own"
        )
    assert [(x.host_path(_TMP) / "own").read_text() for x in phones.phones] == [
        "0\n",
        "1\n",
    ]
    done = phones.adb.run("shell", "true")
    assert "more than one device/emulator" in done.stderr


def test_a_program_whose_host_goes_away_ends_unless_it_survives(connected):
    phone, adb = connected
    for survives in (False, True):
        phone.faults.survives_hangup = survives
        phone.faults.drop_during("sleep 60", after_s=0.2)
        assert adb("shell", "exec sleep 60").returncode != 0
        deadline = time.monotonic() + 2
        while phone.processes() and not survives:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert bool(phone.processes()) == survives
        adb("wait-for-device")


def test_a_reboot_ends_all_processes(connected):
    phone, adb = connected
    phone.faults.survives_hangup = True
    adb("shell", "sleep 60 >&- 2>&- <&- &")
    phone.faults.reboot(away_s=0.1)
    assert phone.processes() == []


def test_an_orphan_that_ended_is_no_process(connected):
    phone, adb = connected
    adb("shell", "sleep 0.5 >&- 2>&- <&- &")
    assert phone.processes()
    deadline = time.monotonic() + 1.5
    while phone.processes():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_closed_phone_leaves_no_process(connected):
    phone, adb = connected
    phone.faults.survives_hangup = True
    adb("shell", "sleep 60 >&- 2>&- <&- &")
    assert phone.processes()
    phone.close()
    assert phone.processes() == []
