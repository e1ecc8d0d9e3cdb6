# SPDX-License-Identifier: Apache-2.0
"""Commands on a device: quoted, with both streams, an exit code and an end.

References:
    packages/modules/adb/shell_protocol.h in AOSP
"""

import dataclasses
import shlex
import struct
import uuid
from collections.abc import Sequence

from android_bench import connection

FEATURE = "shell_v2"

_HEADER = struct.Struct("<BI")
_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)
_CHUNK_BYTES = 1 << 16
_VARIABLE = "TFLITE_OPT_RUN"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShellResult:
    """What a command on a device did.

    Attributes:
        stdout: Undecodable bytes are replaced.
        stderr: Likewise.
        exit_code: 128 and the signal's number if a signal ended it.
    """

    stdout: str
    stderr: str
    exit_code: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunningProcess:
    """A process that this machine started on a device.

    Attributes:
        pid: Also of its process group: adbd starts each in a session.
        nonce: In its environment, so that no other process is taken for it.
    """

    pid: int
    nonce: str

    def kill_script(self) -> str:
        """Returns a script that kills it and all it started."""
        pid = self.pid
        return (
            f"if grep -q {self.nonce} /proc/{pid}/environ 2>/dev/null; then "
            f"kill -9 -{pid} 2>/dev/null || "
            f"{{ pkill -9 -P {pid}; kill -9 {pid}; }}; fi"
        )


class Command:
    """A command before, while and after it runs.

    Args:
        arguments: The program and its arguments, which no shell expands.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._nonce = uuid.uuid4().hex
        self._arguments = arguments
        self._streams = {_STDOUT: bytearray(), _STDERR: bytearray()}

    @property
    def service(self) -> str:
        """The request that starts it; its first line tells its pid."""
        # `exec` keeps the pid, and gives the variable to the process itself.
        return (
            f"shell,v2,raw:echo $$;export {_VARIABLE}={self._nonce};"
            f"exec {shlex.join(self._arguments)}"
        )

    @property
    def process(self) -> RunningProcess | None:
        """The process; None before it has told its pid."""
        pid, end, _ = self._streams[_STDOUT].partition(b"\n")
        if not (end and pid.isdigit()):
            return None
        return RunningProcess(pid=int(pid), nonce=self._nonce)

    @property
    def stdout(self) -> str:
        """What it has printed so far."""
        _, _, printed = self._streams[_STDOUT].partition(b"\n")
        return printed.decode(errors="replace")

    @property
    def stderr(self) -> str:
        """Likewise."""
        return self._streams[_STDERR].decode(errors="replace")

    def run(self, granted: connection.Connection, stdin: bytes) -> ShellResult:
        """Follows the command to its end.

        Args:
            granted: On which `service` was granted.
            stdin: At most some hundred kilobytes, which all buffers on the
                way can hold.

        Raises:
            EOFError: If the device went away.
            TimeoutError: At the deadline of the connection.
        """
        for start in range(0, len(stdin), _CHUNK_BYTES):
            chunk = stdin[start : start + _CHUNK_BYTES]
            granted.send(_HEADER.pack(_STDIN, len(chunk)) + chunk)
        granted.send(_HEADER.pack(_CLOSE_STDIN, 0))
        while True:
            kind, size = _HEADER.unpack(granted.read(_HEADER.size))
            content = granted.read(size)
            if kind == _EXIT:
                return ShellResult(
                    stdout=self.stdout,
                    stderr=self.stderr,
                    exit_code=content[0],
                )
            self._streams[kind] += content
