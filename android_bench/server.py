# SPDX-License-Identifier: Apache-2.0
"""The adb server: found or started, and asked which devices there are."""

import os
import pathlib
import shutil
import subprocess
from collections.abc import Sequence

import adbutils.binaries

from android_bench import (
    connected,
    connection,
    device,
    errors,
    host_services,
)
from tflite_opt.records import errors as record_errors

_HOST = "127.0.0.1"
_PORT = 5037
_LOCAL_HOSTS = (_HOST, "localhost", "::1")
_START_TIMEOUT_S = 20.0


class Server(host_services.HostServices):
    """An adb server that answers; made by `connect`."""

    def device(self, serial: str) -> device.Device:
        """Returns a device that is ready for commands.

        Raises:
            DeviceNotReadyError: If it is not.
        """
        devices = self.devices()
        for found in devices:
            if found.serial == serial:
                if not found.is_ready:
                    raise connected.not_ready_error(serial, found.state)
                return device.Device(self, serial)
        raise connected.missing_error(serial, devices)


def connect(
    host: str | None = None,
    port: int | None = None,
    adb_path: pathlib.Path | None = None,
) -> Server:
    """Returns the adb server, started if it is on this machine and is not yet.

    A server that runs is never restarted, whatever its version.

    Args:
        host: None for ANDROID_ADB_SERVER_ADDRESS, or this machine.
        port: None for ANDROID_ADB_SERVER_PORT, or adb's own 5037.
        adb_path: The program to start it with; None for `adb` of the PATH, or
            the one that adbutils ships.

    Raises:
        ServerError: If there is none and it cannot be started.
    """
    named = os.environ.get("ANDROID_ADB_SERVER_ADDRESS")
    address = connection.Address(
        host=host or named or _HOST, port=port or _port()
    )
    server = Server(address)
    try:
        server.ask("host:version")
    except errors.ServerError:
        if address.host not in _LOCAL_HOSTS:
            raise
        _start(adb_path or find_adb(), address)
        server.ask("host:version")
    return server


def _port() -> int:
    found = os.environ.get("ANDROID_ADB_SERVER_PORT")
    if found is None:
        return _PORT
    if not (found.isdigit() and 0 < int(found) < 1 << 16):
        raise errors.ServerError(
            "ANDROID_ADB_SERVER_PORT must be a port. "
            f"Received: ANDROID_ADB_SERVER_PORT={found!r}"
        )
    return int(found)


def find_adb() -> pathlib.Path:
    """Returns the adb of the PATH, or else the one that adbutils ships.

    Raises:
        ServerError: If there is neither.
    """
    if found := shutil.which("adb"):
        return pathlib.Path(found)
    # adbutils.adb_path() runs the program to find out whether it is one.
    shipped = pathlib.Path(adbutils.binaries.__path__[0])
    for name in ("adb", "adb.exe"):
        if (shipped / name).is_file():
            return shipped / name
    raise errors.ServerError(
        "An adb is needed. Received: none in the PATH, and adbutils ships none "
        "for this machine. Install Android's platform-tools."
    )


def _start(adb_path: pathlib.Path, address: connection.Address) -> None:
    try:
        done = subprocess.run(
            [str(adb_path), "-P", str(address.port), "start-server"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_START_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise errors.ServerError(
            f"`{adb_path} start-server` cannot be run: {error}"
        ) from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise errors.ServerError(
            f"`{adb_path} start-server` failed: "
            f"{said[-1] if said else f'exit code {done.returncode}'}"
        )


def choose(
    server: Server, serials: Sequence[str], all_devices: bool
) -> list[device.Device]:
    """Returns the devices that a command shall use.

    Args:
        server: Which knows them.
        serials: By name; empty for the only one that is ready, or the one of
            ANDROID_SERIAL.
        all_devices: Takes all that are connected.

    Raises:
        DeviceNotReadyError: If one of them cannot be used, there is none, or
            it is not clear which.
        InputError: If both are given, or a serial twice.
    """
    if serials and all_devices:
        raise record_errors.InputError(
            "Devices must be given by --serial or by --all_devices. "
            f"Received: serial={list(serials)}, all_devices=True"
        )
    if len(set(serials)) < len(serials):
        raise record_errors.InputError(
            "A device must be given once. "
            f"Received: serial={', '.join(serials)}"
        )
    devices = server.devices()
    if not devices and not serials:
        raise errors.DeviceNotReadyError(
            "A device must be connected. Received: none. Plug one in with USB "
            "debugging on, or run `adb connect HOST:PORT`."
        )
    if all_devices:
        return [server.device(found.serial) for found in devices]
    if not serials:
        serials = [os.environ.get("ANDROID_SERIAL") or _only_one(devices)]
    return [server.device(serial) for serial in serials]


def _only_one(devices: Sequence[connected.ConnectedDevice]) -> str:
    ready = [found for found in devices if found.is_ready]
    if len(ready) > 1:
        raise errors.DeviceNotReadyError(
            "With several devices, it must be said which. Connected: "
            f"{connected.listed(ready)}. Give --serial, once for each, or "
            "--all_devices."
        )
    return (ready or devices)[0].serial
