# SPDX-License-Identifier: Apache-2.0
"""One device: its commands and its files."""

import contextlib
import logging
import pathlib
import shlex
import threading
import time
import uuid
from collections.abc import Iterator, Sequence

from android_bench import (
    channel,
    connection,
    errors,
    host_services,
    shell_command,
    sync,
    transfer,
)
from tflite_opt.records import files

_LOG = logging.getLogger(__name__)
_KILL_TIMEOUT_S = 10.0
_ANSWER_TIMEOUT_S = 5.0
_POLL_S = 0.2
_TRANSFER_TIMEOUT_S = 30.0
# A slow phone hashes 100 MB per second.
_HASH_TIMEOUT_S = 30.0
_HASHED_BYTES_PER_S = 20e6


class Device:
    """A device that an adb server knows. Safe to use from several threads.

    Every method raises `DeviceLostError` if the device goes away meanwhile
    and `DeviceNotReadyError` if it does not let adb in.

    Args:
        services: Of the adb server.
        serial: As the server knows it.
    """

    def __init__(
        self, services: host_services.HostServices, serial: str
    ) -> None:
        self.serial = serial
        self._services = services
        self._channel = channel.Channel(services, serial)
        self._lock = threading.Lock()
        # Ran when the device went away; they may still do.
        self._left_behind: set[shell_command.RunningProcess] = set()

    def shell(
        self,
        arguments: Sequence[str],
        *,
        timeout_s: float = 30,
        stdin: bytes | None = None,
    ) -> shell_command.ShellResult:
        """Runs a program on the device and waits for its end.

        Whatever ends the wait, an error or Ctrl-C, also ends the program and
        all it started.

        Args:
            arguments: The program and its arguments, which no shell expands.
            timeout_s: The longest it may take.
            stdin: At most some hundred kilobytes; None for an empty one.

        Raises:
            DeviceTimeoutError: If it takes longer; it is dead then.
            DeviceLostError: If the device went away. The program is killed by
                the next `wait`.
        """
        return self._run(arguments, shlex.join(arguments), timeout_s, stdin)

    def run_script(
        self, text: str, *, timeout_s: float = 30
    ) -> shell_command.ShellResult:
        """Runs lines of the device's `sh`; else like `shell`.

        Args:
            text: Of the script. Quote what is put into it.
            timeout_s: The longest it may take.
        """
        return self._run(["sh", "-c", text], text, timeout_s, None)

    def push(
        self,
        local: pathlib.Path,
        remote: str,
        *,
        permissions: int = 0o755,
    ) -> str:
        """Writes a file on the device, whole and verified, or not at all.

        Args:
            local: The file.
            remote: Absolute path of the file there. Directories are made.
            permissions: Of the file there.

        Returns:
            The hexadecimal SHA-256 of what was sent.

        Raises:
            TransferError: If `local` cannot be read, or the device cannot
                write it or has other bytes afterwards.
        """
        transfer.check_path(remote)
        temporary = f"{remote}.{uuid.uuid4().hex[:8]}{files.TEMPORARY_SUFFIX}"
        try:
            with (
                transfer.opened(local) as file,
                self._sync("write", remote) as granted,
            ):
                sent = transfer.Hashed(file)
                sync.send(granted, sent, temporary, permissions)
            self._verify(temporary, remote, sent)
            moved = self.shell(["mv", "-f", temporary, remote])
            if moved.exit_code:
                raise transfer.error("write", remote, self.serial, moved.stderr)
            return sent.sha256
        except BaseException:
            # The device may be gone; then nothing can be removed.
            with contextlib.suppress(errors.DeviceError):
                self.remove(temporary)
            raise

    def _verify(
        self, temporary: str, remote: str, sent: transfer.Hashed
    ) -> None:
        found = self._sha256(temporary, sent.size_bytes)
        if found != sent.sha256:
            raise errors.TransferError(
                "A file must arrive as it was sent. Received: "
                f"{remote!r} on {self.serial} with sha256={found}, not "
                f"{sent.sha256}. Try another cable or port."
            )

    def pull(self, remote: str, local: pathlib.Path) -> None:
        """Copies a file of the device to this machine, whole or not at all.

        Raises:
            TransferError: If it is not there or cannot be read.
            OutputError: If `local` cannot be written.
        """
        transfer.check_path(remote)
        with (
            files.atomic_path(local) as temporary,
            temporary.open("wb") as file,
            self._sync("read", remote) as granted,
        ):
            sync.receive(granted, remote, file)

    def exists(self, remote: str) -> bool:
        """Returns whether there is a file or directory."""
        return self._stat(remote).mode != 0

    def remove(self, remote: str) -> None:
        """Removes a file or a directory with all it holds, if it is there.

        Raises:
            TransferError: If it cannot be removed.
        """
        transfer.check_path(remote)
        done = self.shell(["rm", "-rf", remote])
        if done.exit_code:
            raise transfer.error("remove", remote, self.serial, done.stderr)

    def sha256(self, remote: str) -> str | None:
        """Returns the hexadecimal SHA-256 of a file; None if it is not there.

        Raises:
            TransferError: If it is there but cannot be read.
        """
        found = self._stat(remote)
        if found.mode == 0:
            return None
        return self._sha256(remote, found.size_bytes)

    def wait(self, timeout_s: float) -> None:
        """Waits until the device is back, and ends what still runs there.

        Raises:
            DeviceTimeoutError: If it is not back by then.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            remaining_s = deadline - time.monotonic()
            self._services.wait_for(self.serial, timeout_s=remaining_s)
            try:
                # A server takes a moment to notice that a device is gone.
                self.shell(["true"], timeout_s=_ANSWER_TIMEOUT_S)
                break
            except (errors.DeviceLostError, errors.DeviceTimeoutError):
                time.sleep(_POLL_S)
        with self._lock:
            left_behind, self._left_behind = self._left_behind, set()
        for process in left_behind:
            self._kill(process)

    def _run(
        self,
        arguments: Sequence[str],
        name: str,
        timeout_s: float,
        stdin: bytes | None,
    ) -> shell_command.ShellResult:
        self._channel.require_shell()
        command = shell_command.Command(arguments)
        is_over = False
        try:
            with self._channel.open(command.service, timeout_s) as granted:
                result = command.run(granted, stdin or b"")
            is_over = True
            return result
        except TimeoutError as error:
            raise errors.DeviceTimeoutError(
                f"A command on {self.serial} took longer than {timeout_s:g} s "
                f"and was killed. Received: {name[:200]!r}",
                stdout=command.stdout,
                stderr=command.stderr,
            ) from error
        finally:
            if not is_over and command.process is not None:
                self._kill(command.process)

    def _kill(self, process: shell_command.RunningProcess) -> None:
        """Kills a process, now or when the device is back."""
        command = shell_command.Command(["sh", "-c", process.kill_script()])
        try:
            with self._channel.open(
                command.service, _KILL_TIMEOUT_S
            ) as granted:
                command.run(granted, b"")
        except (errors.DeviceError, TimeoutError):
            _LOG.warning(
                "Process %d may still run on %s.", process.pid, self.serial
            )
            with self._lock:
                self._left_behind.add(process)

    def _stat(self, remote: str) -> sync.Stat:
        transfer.check_path(remote)
        with self._sync("look for", remote) as granted:
            return sync.stat(granted, remote)

    def _sha256(self, remote: str, size_bytes: int) -> str:
        done = self.shell(
            ["sha256sum", remote],
            timeout_s=_HASH_TIMEOUT_S + size_bytes / _HASHED_BYTES_PER_S,
        )
        if done.exit_code:
            raise transfer.error("read", remote, self.serial, done.stderr)
        return done.stdout.partition(" ")[0].lstrip("\\")

    @contextlib.contextmanager
    def _sync(self, verb: str, remote: str) -> Iterator[connection.Connection]:
        try:
            with self._channel.open(
                sync.SERVICE, _TRANSFER_TIMEOUT_S
            ) as granted:
                yield granted
        except sync.SyncError as error:
            raise transfer.error(
                verb, remote, self.serial, str(error)
            ) from error
        except TimeoutError as error:
            raise transfer.error(
                verb, remote, self.serial, "nothing moves any more"
            ) from error
