# SPDX-License-Identifier: Apache-2.0
"""One emulated phone: an adb daemon with its files, state and faults."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import BinaryIO

from tests import process_state
from tests.emulated_device import (
    faults,
    machine,
    profiles,
    shell_service,
    sync_service,
    transport,
)

_FEATURES = "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir,sendrecv_v2"
_TICK_S = 0.25


class Phone(machine.Machine):
    """A phone that listens for adb servers; a context manager.

    Attributes:
        faults: What may go wrong with it.
        services: What hosts asked for so far, as adb writes it.
        pushed: Paths of the files that hosts sent so far.

    Args:
        folder: For its files; must be empty.
        profile: What phone it is.
        serial_number: Its own; adb knows it by its address.
        port: 0 for a free one.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        profile: profiles.Profile,
        serial_number: str,
        port: int = 0,
    ) -> None:
        super().__init__(folder, profile, serial_number)
        self.faults = faults.Faults(self)
        self.services: list[str] = []
        self.pushed: list[str] = []
        self._stopped = threading.Event()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._transports: list[transport.Transport] = []
        self._listener = transport.Listener(self._accept, port)
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def __enter__(self) -> "Phone":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def serial(self) -> str:
        """As the adb server knows it."""
        return f"127.0.0.1:{self._listener.port}"

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

    def files(self, path: str = "/data/local/tmp") -> list[str]:
        """Returns all files and empty directories below a path, sorted."""
        top = self.host_path(path)
        return sorted(
            str(found.relative_to(top))
            for found in top.rglob("*")
            if not found.is_dir() or not any(found.iterdir())
        )

    def processes(self) -> list[int]:
        """Returns the ids of processes that services started and left."""
        with self._lock:
            groups = [x.pid for x in self._processes]
        return [pid for pid in groups if process_state.group_lives(pid)]

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
        self.boot()

    def check_create(self, path: str) -> None:
        """Raises PermissionError where the shell may not write."""
        self.pushed.append(path)
        self.faults.check_create(path)
        if not path.startswith(("/data/local/tmp/", "/sdcard/")):
            raise PermissionError(13, "")

    def write(self, file: BinaryIO, chunk: bytes) -> None:
        """Writes a piece of a pushed file."""
        self.faults.write(file, chunk)

    def _tick(self) -> None:
        while not self._stopped.wait(_TICK_S):
            self.update()

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
            environment=self.environment,
            started=self._track,
            survives_hangup=lambda: self.faults.survives_hangup,
        ).run

    def _track(self, process: "subprocess.Popen[bytes]") -> None:
        with self._lock:
            self._processes = [
                x for x in self._processes if process_state.group_lives(x.pid)
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
