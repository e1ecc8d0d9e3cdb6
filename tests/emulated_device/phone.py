# SPDX-License-Identifier: Apache-2.0
"""One emulated phone: an adb daemon with its files, state and faults."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from tests.emulated_device import (
    climate,
    dumps,
    faults,
    file_tree,
    profiles,
    shell_service,
    sync_service,
    transport,
)

_FEATURES = "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir,sendrecv_v2"
_TICK_S = 0.25


@dataclasses.dataclass(kw_only=True)
class Condition:
    """What the phone's user may change."""

    battery_percent: int = 80
    battery_celsius: float | None = None
    is_charging: bool = False
    is_powered: bool = True
    is_awake: bool = True
    is_locked: bool = False
    offline_cpus: tuple[int, ...] = ()
    has_thermal_hal: bool = True


class Phone:
    """A phone that listens for adb servers; a context manager.

    Args:
        folder: For its files; must be empty.
        profile: What phone it is.
        serial_number: Its own; adb knows it by its address.
        port: 0 for a free one.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        profile: profiles.Profile = profiles.PIXEL,
        serial_number: str = "EMULATED0",
        port: int = 0,
    ) -> None:
        self.root = folder.resolve() / "root"
        self.state_dir = folder.resolve() / "state"
        self.profile = profile
        self.serial_number = serial_number
        self.climate = climate.Climate()
        self.condition = Condition()
        self.faults = faults.Faults(self)
        self.services: list[str] = []
        self._stopped = threading.Event()
        self._lock = threading.RLock()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._transports: list[transport.Transport] = []
        self._tree = file_tree.FileTree(self.root, profile)
        self._booted = self._updated = time.monotonic()
        self._prepare()
        self.update()
        self._listener = transport.Listener(self._accept, port)
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def _prepare(self) -> None:
        self._tree.build()
        for folder in ("computing", "dumpsys", "packages", "settings/global",
                       "settings/system", "settings/secure"):  # fmt: skip
            (self.state_dir / folder).mkdir(parents=True)
        self.set_properties({})
        self._write("logcat", "--------- beginning of main\n")
        self._write("capacities", json.dumps(self.profile.capacities))
        self._write("fixed_performance", "false")
        self._write("settings/global/low_power", "0")
        self._write("settings/global/airplane_mode_on", "0")
        self._write("settings/global/stay_on_while_plugged_in", "0")
        self.faults.tool(None)

    def __enter__(self) -> "Phone":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def serial(self) -> str:
        """As the adb server knows it."""
        return f"127.0.0.1:{self._listener.port}"

    @property
    def model(self) -> str:
        """As it calls itself."""
        return self.profile.properties["ro.product.model"]

    @property
    def is_running(self) -> bool:
        """Whether it was not closed."""
        return not self._stopped.is_set()

    @property
    def is_connected(self) -> bool:
        """Whether an adb server is connected."""
        with self._lock:
            return bool(self._transports)

    def close(self) -> None:
        """Ends all connections and processes; its files stay."""
        self._stopped.set()
        self._listener.close()
        self.disconnect()
        self._end_processes()
        self._ticker.join()

    def change(self, **values: Any) -> None:
        """Changes the `condition`, at once."""
        with self._lock:
            self.condition = dataclasses.replace(self.condition, **values)
        self.update()

    def warm_up(self, celsius: float) -> None:
        """Gives the skin a temperature, at once."""
        with self._lock:
            self.climate.celsius = celsius
        self.update()

    def set_properties(self, values: Mapping[str, str]) -> None:
        """Gives properties other values than the profile's."""
        own = {"ro.serialno": self.serial_number, **values}
        self._write(
            "properties", dumps.properties(self.profile.properties | own)
        )

    def remove_programs(self, *names: str) -> None:
        """Takes programs away, as old systems lack them."""
        for name in names:
            (self._tree.programs / name).unlink()

    def hide(self, pattern: str) -> None:
        """Denies files below /sys or /proc from now on."""
        with self._lock:
            self._tree.hide(pattern)

    def files(self, path: str = "/data/local/tmp") -> list[str]:
        """Returns all files and empty directories below a path, sorted."""
        top = self.host_path(path)
        return sorted(
            str(found.relative_to(top))
            for found in top.rglob("*")
            if not found.is_dir() or not any(found.iterdir())
        )

    def settings(self, namespace: str = "global") -> dict[str, str]:
        """Returns all settings of a namespace."""
        folder = self.state_dir / "settings" / namespace
        return {x.name: x.read_text().strip() for x in folder.iterdir()}

    def has_fixed_performance(self) -> bool:
        """Returns whether the fixed-performance mode is on."""
        return self._read("fixed_performance") == "true"

    def processes(self) -> list[int]:
        """Returns the ids of processes that services started and left."""
        with self._lock:
            groups = [x.pid for x in self._processes]
        return [pid for pid in groups if _group_lives(pid)]

    def commands(self) -> list[str]:
        """Returns the shell commands so far, without what adb adds."""
        return [
            service.partition(":")[2]
            for service in list(self.services)
            if service.startswith(("shell", "exec"))
        ]

    def disconnect(self) -> None:
        """Ends all connections."""
        with self._lock:
            ended, self._transports = self._transports, []
        for connection in ended:
            connection.close()

    def go_away(self, away_s: float) -> None:
        """Ends all connections and refuses others for a time."""
        self._listener.pause()
        self.disconnect()
        timer = threading.Timer(away_s, self._listener.resume)
        timer.daemon = True
        timer.start()

    def reboot(self, away_s: float) -> None:
        """Ends all connections and processes, and starts time again."""
        self.go_away(away_s)
        self._end_processes()
        self._booted = time.monotonic()
        self.update()

    def host_path(self, path: str) -> pathlib.Path:
        """Returns where a path of the phone is on this machine."""
        return self.root / path.lstrip("/")

    def check_create(self, path: str) -> None:
        """Raises PermissionError where the shell may not write."""
        self.faults.check_create(path)
        if not path.startswith(("/data/local/tmp/", "/sdcard/")):
            raise PermissionError(13, "")

    def write(self, file: BinaryIO, chunk: bytes) -> None:
        """Writes a piece of a pushed file."""
        self.faults.write(file, chunk)

    def update(self) -> None:
        """Brings files and dumps up to date."""
        with self._lock:
            now = time.monotonic()
            computing = self._num_computing()
            self.climate.advance(now - self._updated, computing)
            self._updated = now
            status = self._status()
            self._tree.update(
                self.climate,
                status=status,
                is_busy=computing > 0,
                booted=self._booted,
            )
            offline = self.condition.offline_cpus
            online = [
                x for x in range(self.profile.num_cpus) if x not in offline
            ]
            self._tree.write(
                "sys/devices/system/cpu/online", dumps.cpu_list(online)
            )
            self._tree.write(
                "sys/class/power_supply/battery/current_now", "-350000"
            )
            self._tree.write(
                "sys/class/power_supply/battery/voltage_now", "4200000"
            )
            self._write("online_mask", str(sum(1 << x for x in online)))
            self._write(
                "clock_fraction", str(self.climate.clock_fraction(status))
            )
            self._write("dumpsys/thermalservice", dumps.thermal(self, status))
            self._write("dumpsys/battery", dumps.battery(self))
            self._write("dumpsys/trust", dumps.trust(self.condition.is_locked))
            if self._read("last_awake") != str(self.condition.is_awake):
                # Programs may wake it, too.
                self._write("last_awake", str(self.condition.is_awake))
                self._write(
                    "wakefulness",
                    "Awake" if self.condition.is_awake else "Asleep",
                )

    def _status(self) -> int:
        override = self._read("status_override")
        return int(override) if override else self.climate.status

    def _tick(self) -> None:
        while not self._stopped.wait(_TICK_S):
            self.update()

    def _num_computing(self) -> int:
        count = 0
        for marker in (self.state_dir / "computing").iterdir():
            if pathlib.Path(f"/proc/{marker.name}").exists():
                count += 1
            else:
                marker.unlink(missing_ok=True)
        return count

    def _write(self, name: str, text: str) -> None:
        place = self.state_dir / name
        temporary = place.with_name(f"{place.name}.new")
        temporary.write_text(text)
        temporary.replace(place)

    def _read(self, name: str) -> str:
        with contextlib.suppress(FileNotFoundError):
            return (self.state_dir / name).read_text().strip()
        return ""

    def _accept(self, connected: socket.socket) -> None:
        found = transport.Transport(
            connected,
            banner=self._banner(),
            is_trusted=lambda: self.faults.is_trusted,
            serve=self._serve,
            pace=self.faults.pace,
        )
        with self._lock:
            self._transports.append(found)
        found.run()

    def _banner(self) -> str:
        properties = self.profile.properties
        told = ";".join(
            f"{name}={properties[name]}"
            for name in (
                "ro.product.name",
                "ro.product.model",
                "ro.product.device",
            )
        )
        return f"device::{told};features={_FEATURES}"

    def _serve(
        self, stream: transport.Stream, service: str
    ) -> Callable[[], None] | None:
        kind, _, argument = service.partition(":")
        name, *options = kind.split(",")
        self.services.append(service)
        if name == "sync":
            return sync_service.SyncService(stream, self).run
        if name not in ("shell", "exec"):
            return None
        self.update()
        self.faults.watch(argument)
        return shell_service.ShellService(
            stream,
            argument,
            has_frames="v2" in options,
            root=self.root,
            environment=self._tree.environment(self.state_dir),
            started=self._track,
            survives_hangup=lambda: self.faults.survives_hangup,
        ).run

    def _track(self, process: "subprocess.Popen[bytes]") -> None:
        with self._lock:
            self._processes = [
                x for x in self._processes if _group_lives(x.pid)
            ]
            self._processes.append(process)

    def _end_processes(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        with self._lock:
            processes, self._processes = self._processes, []
        for process in processes:
            process.wait()


def _group_lives(pid: int) -> bool:
    """Returns whether a process of a group is more than a zombie."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True
