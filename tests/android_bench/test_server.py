# SPDX-License-Identifier: Apache-2.0
"""Servers and the choice of devices, with the real adb server."""

import re
import socket
import subprocess
import threading

import pytest

from android_bench import connected, connection, errors, server
from tests.emulated_device import adb_server
from tflite_opt.records import errors as record_errors


class _Known(server.Server):
    """A server that knows devices which cannot be emulated."""

    def __init__(self, *devices):
        super().__init__(connection.Address(host="127.0.0.1", port=1))
        self._devices = [
            connected.ConnectedDevice(serial=serial, state=state)
            for serial, state in devices
        ]

    def devices(self):
        return self._devices


@pytest.fixture(autouse=True)
def _no_serial(monkeypatch):
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)


def test_a_running_server_is_found_by_its_port(adb, monkeypatch):
    assert server.connect(port=adb.port).devices() == []
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(adb.port))
    assert server.connect().address.port == adb.port


def test_a_server_is_started_where_there_is_none(tmp_path, monkeypatch):
    for name, value in adb_server.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    try:
        assert server.connect(port=port).devices() == []
    finally:
        subprocess.run(
            [server.find_adb(), "-P", str(port), "kill-server"], check=True
        )


def test_a_remote_server_is_never_started_here(tmp_path):
    with pytest.raises(errors.ServerError) as found:
        server.connect("127.0.0.2", 1, adb_path=tmp_path / "never_run")
    assert str(found.value) == (
        "No adb server answers at 127.0.0.2:1: Connection refused. Start it "
        "there with `adb -a start-server`, or give another --adb_host and "
        "--adb_port."
    )


def test_an_adb_that_cannot_be_run_is_told(tmp_path):
    with pytest.raises(errors.ServerError, match="cannot be run: .*No such"):
        server.connect(port=1, adb_path=tmp_path / "adb")


def test_an_adb_that_fails_is_told(tmp_path):
    adb = tmp_path / "adb"
    adb.write_text("#!/bin/sh\necho 'no room' >&2\nexit 1\n")
    adb.chmod(0o755)
    with pytest.raises(errors.ServerError, match="start-server` failed: no"):
        server.connect(port=1, adb_path=adb)


@pytest.mark.parametrize("port", ["adb", "0", "70000", ""])
def test_the_port_of_the_environment_must_be_one(port, monkeypatch):
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", port)
    message = (
        "ANDROID_ADB_SERVER_PORT must be a port. Received: "
        f"ANDROID_ADB_SERVER_PORT={port!r}"
    )
    with pytest.raises(errors.ServerError, match=re.escape(message)):
        server.connect()


def test_another_server_is_not_taken_for_adb():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            accepted, _ = listening.accept()
            with accepted:
                accepted.recv(100)
                accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        found = server.Server(
            connection.Address(
                host="127.0.0.1", port=listening.getsockname()[1]
            )
        )
        with pytest.raises(errors.ServerError, match="must be an adb server"):
            found.devices()


def test_the_adb_of_the_path_comes_first(tmp_path, monkeypatch):
    own = tmp_path / "adb"
    own.write_text("")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert server.find_adb() == own
    own.unlink()
    assert "adbutils" in server.find_adb().parts


def test_the_only_device_is_chosen(make_phones):
    made = make_phones(1)
    chosen = server.choose(made.server, [], all_devices=False)
    assert [x.serial for x in chosen] == [made[0].serial]


def test_several_devices_must_be_named(phones):
    with pytest.raises(errors.DeviceNotReadyError) as found:
        server.choose(phones.server, [], all_devices=False)
    for emulated in phones.phones:
        assert emulated.serial in str(found.value)
    assert "Give --serial, once for each, or --all_devices." in str(found.value)


def test_devices_are_chosen_by_name_in_order_or_all(phones, monkeypatch):
    serials = [x.serial for x in phones.phones]
    chosen = server.choose(phones.server, serials[::-1], all_devices=False)
    assert [x.serial for x in chosen] == serials[::-1]
    chosen = server.choose(phones.server, [], all_devices=True)
    assert {x.serial for x in chosen} == set(serials)
    monkeypatch.setenv("ANDROID_SERIAL", serials[1])
    (only,) = server.choose(phones.server, [], all_devices=False)
    assert only.serial == serials[1]


def test_a_serial_that_is_not_connected_is_told(phones):
    with pytest.raises(errors.DeviceNotReadyError, match="serial='none'"):
        server.choose(phones.server, ["none"], all_devices=False)


def test_no_device_at_all_is_told():
    with pytest.raises(errors.DeviceNotReadyError) as found:
        server.choose(_Known(), [], all_devices=False)
    assert str(found.value) == (
        "A device must be connected. Received: none. Plug one in with USB "
        "debugging on, or run `adb connect HOST:PORT`."
    )


@pytest.mark.parametrize("state", ["unauthorized", "offline", "no permissions"])
@pytest.mark.parametrize(
    "choice", [([], False), ([], True), (["S1"], False)], ids=str
)
def test_a_device_that_is_not_ready_is_never_dropped(state, choice):
    with pytest.raises(
        errors.DeviceNotReadyError, match=f"serial='S1', which is {state}"
    ):
        server.choose(_Known(("S1", state)), *choice)


def test_one_that_is_ready_needs_no_name_beside_others():
    known = _Known(("S1", "offline"), ("S2", "device"))
    (chosen,) = server.choose(known, [], all_devices=False)
    assert chosen.serial == "S2"


@pytest.mark.parametrize(
    ("serials", "all_devices", "message"),
    [
        (["S1"], True, "by --serial or by --all_devices"),
        (["S1", "S1"], False, "must be given once. Received: serial=S1, S1"),
    ],
)
def test_a_contradicting_choice_is_refused(serials, all_devices, message):
    with pytest.raises(record_errors.InputError, match=message):
        server.choose(_Known(("S1", "device")), serials, all_devices)
