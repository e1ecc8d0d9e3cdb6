# SPDX-License-Identifier: Apache-2.0
"""The daemon's side of adb's shell and exec services.

Commands run in the `sh` of this machine, with the programs of the emulated
device only, and with the device's paths turned into those of its files here
and back.

References:
    packages/modules/adb/daemon/shell_service.cpp in AOSP
"""

import contextlib
import os
import pathlib
import re
import signal
import struct
import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import IO

from tests.emulated_device import transport

_FRAME = struct.Struct("<BI")
_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)
_CHUNK_BYTES = 1 << 16
# Programs need their own processes in /proc.
_DEVICE_PATH = re.compile(
    r"(?<![\w./}*-])/(?=(?:data|sdcard|storage|sys|system|vendor|"
    r"proc/(?:cpuinfo|loadavg|meminfo|stat|uptime|version))(?![\w-]))"
)


def to_host(command: str, root: pathlib.Path) -> str:
    """Returns a command with the device's paths below `root`."""
    return _DEVICE_PATH.sub(f"{root}/", command)


class FromHost:
    """Turns paths below `root` back into the device's, as output comes."""

    def __init__(self, root: pathlib.Path) -> None:
        self._root = os.fsencode(root)
        self._pending = b""

    def feed(self, content: bytes) -> bytes:
        """Returns what is certain by now; all of the rest if it is empty."""
        pending = (self._pending + content).replace(self._root, b"")
        kept = self._begun(pending) if content else 0
        self._pending = pending[len(pending) - kept :]
        return pending[: len(pending) - kept]

    def _begun(self, text: bytes) -> int:
        """Returns how many bytes at the end may become `root`."""
        for size in range(min(len(self._root) - 1, len(text)), 0, -1):
            if self._root.startswith(text[-size:]):
                return size
        return 0


class ShellService:
    """One command.

    Args:
        stream: With the host.
        command: For `sh -c`; in the device's paths.
        has_frames: Whether the streams are kept apart, as in version 2.
        root: The device's files.
        environment: All of it.
        started: Called with the process.
        survives_hangup: Whether the command goes on without its host.
    """

    def __init__(
        self,
        stream: transport.Stream,
        command: str,
        *,
        has_frames: bool,
        root: pathlib.Path,
        environment: Mapping[str, str],
        started: Callable[["subprocess.Popen[bytes]"], None],
        survives_hangup: Callable[[], bool],
    ) -> None:
        self._stream = stream
        self._command = command
        self._has_frames = has_frames
        self._root = root
        self._environment = environment
        self._started = started
        self._survives_hangup = survives_hangup

    def run(self) -> None:
        """Runs the command to its end, or until the host goes away."""
        process = subprocess.Popen(
            ["/bin/sh", "-c", to_host(self._command, self._root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if self._has_frames else subprocess.STDOUT,
            cwd=self._root,
            env=dict(self._environment),
            start_new_session=True,
        )
        self._started(process)
        threads = [
            threading.Thread(target=self._pump, args=(pipe, kind), daemon=True)
            for pipe, kind in (
                (process.stdout, _STDOUT),
                (process.stderr, _STDERR),
            )
            if pipe is not None
        ]
        feeding = threading.Thread(
            target=self._feed, args=(process,), daemon=True
        )
        for thread in (*threads, feeding):
            thread.start()
        for thread in threads:
            thread.join()
        code = process.wait()
        if self._has_frames:
            # A signal is told as the shell does.
            code = code if code >= 0 else 0x80 | -code
            self._stream.write(_FRAME.pack(_EXIT, 1) + bytes([code]))

    def _pump(self, pipe: IO[bytes], kind: int) -> None:
        turned = FromHost(self._root)
        with pipe:
            while True:
                chunk = pipe.read1(_CHUNK_BYTES)  # type: ignore[attr-defined]
                content = turned.feed(chunk)
                try:
                    if content and self._has_frames:
                        header = _FRAME.pack(kind, len(content))
                        self._stream.write(header + content)
                    elif content:
                        self._stream.write(content)
                except EOFError:
                    return
                if not chunk:
                    return

    def _feed(self, process: "subprocess.Popen[bytes]") -> None:
        """Gives the host's input to the process, and notices its end."""
        pipe = process.stdin
        try:
            while True:
                kind, content = self._next_input()
                if pipe is not None and kind == _STDIN:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.write(content)
                        pipe.flush()
                elif pipe is not None and kind == _CLOSE_STDIN:
                    _close(pipe)
                    pipe = None
        except EOFError:
            if process.poll() is None and not self._survives_hangup():
                # Only the process itself: what it started may live on.
                process.send_signal(signal.SIGHUP)
        finally:
            if pipe is not None:
                _close(pipe)

    def _next_input(self) -> tuple[int, bytes]:
        if self._has_frames:
            kind, size = _FRAME.unpack(self._stream.read(_FRAME.size))
            return kind, self._stream.read(size)
        content = self._stream.read_some()
        if not content:
            raise EOFError
        return _STDIN, content


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.close()
