# SPDX-License-Identifier: Apache-2.0
"""A real adb server of one's own, beside that of the user."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

from android_bench import server
from tflite_opt import child_process

_START_TIMEOUT_S = 20.0


class AdbServer:
    """Runs `adb` as a child, on a free port; a context manager.

    Args:
        home: Where it keeps its key; made by itself.
    """

    def __init__(self, home: pathlib.Path) -> None:
        self.adb = server.find_adb()
        self.port = _free_port()
        self.environment = environment(home) | {
            "ANDROID_ADB_SERVER_PORT": str(self.port)
        }
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        # A child, unlike what `start-server` leaves behind, ends with us.
        self._process = subprocess.Popen(
            [str(self.adb), "-P", str(self.port), "server", "nodaemon"],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=self.environment,
            start_new_session=True,
            preexec_fn=child_process.end_with_parent,
        )
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "AdbServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs an adb command against it."""
        return subprocess.run(
            [str(self.adb), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=60,
            check=False,
        )

    def connect(self) -> server.Server:
        """Returns the library's view of it."""
        return server.connect(port=self.port)

    def close(self) -> None:
        """Ends it."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        self._log.seek(0)
        raise RuntimeError(f"adb did not start: {self._log.read()!r}")


def environment(home: pathlib.Path) -> dict[str, str]:
    """Returns an environment in which adb sees emulated devices only."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ADB", "ANDROID_"))
    }
    off = dict.fromkeys(("ADB_EMU", "ADB_MDNS", "ADB_USB"), "0")
    return kept | off | {"HOME": str(home)}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
