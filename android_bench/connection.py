# SPDX-License-Identifier: Apache-2.0
"""One conversation with an adb server, in its own protocol.

adbutils speaks it, too, but starts a local server when a remote one is away,
loses the reasons of failed transfers, and takes the end of a connection for
the end of the data.

References:
    packages/modules/adb/docs/dev/services.md and
    packages/modules/adb/SERVICES.TXT in AOSP
"""

import dataclasses
import select
import socket
import time
import types

from android_bench import errors

# A server that runs answers at once; a remote one may be far away.
_CONNECT_TIMEOUT_S = 5.0
_LENGTH_DIGITS = 4
_LONGEST_REQUEST = 0xFFFF


@dataclasses.dataclass(frozen=True, kw_only=True)
class Address:
    """Where an adb server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Connection:
    """A socket to an adb server; a context manager that closes it.

    Every call may raise `EOFError` when the other side closed the connection,
    and `TimeoutError` when the deadline is over.

    Args:
        address: Of the server.
        timeout_s: For all calls together, until `set_timeout`.

    Raises:
        ServerError: If nothing listens there.
    """

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        try:
            self._socket = socket.create_connection(
                (address.host, address.port),
                timeout=min(timeout_s, _CONNECT_TIMEOUT_S),
            )
        except OSError as error:
            raise errors.ServerError(
                f"No adb server answers at {address}: "
                f"{error.strerror or error}. Start it there with "
                "`adb -a start-server`, or give another --adb_host and "
                "--adb_port."
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.set_timeout(timeout_s)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self._socket.close()

    def set_timeout(self, timeout_s: float) -> None:
        """Moves the deadline to `timeout_s` from now."""
        self._deadline = time.monotonic() + timeout_s

    def request(self, service: str) -> None:
        """Asks for a service and waits until it is granted.

        Raises:
            RefusedError: If it is not.
            DeviceError: If it is longer than the protocol allows.
        """
        encoded = service.encode()
        if len(encoded) > _LONGEST_REQUEST:
            raise errors.DeviceError(
                "A command for a device must be at most "
                f"{_LONGEST_REQUEST} bytes long. Received: {len(encoded)}"
            )
        self.send(f"{len(encoded):04x}".encode() + encoded)
        status = self.read(4)
        if status == b"FAIL":
            raise errors.RefusedError(service, self.read_text())
        if status != b"OKAY":
            raise errors.ServerError(
                "What listens must be an adb server. "
                f"Received: {status!r} in answer to {service!r}."
            )

    def send(self, content: bytes) -> None:
        """Sends all of `content`."""
        self._socket.settimeout(self._remaining())
        try:
            self._socket.sendall(content)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EOFError from error

    def is_readable(self) -> bool:
        """Returns whether the other side sent or closed something."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def read(self, size: int) -> bytes:
        """Returns exactly `size` bytes."""
        content = bytearray(size)
        view, found = memoryview(content), 0
        while found < size:
            self._socket.settimeout(self._remaining())
            try:
                count = self._socket.recv_into(view[found:])
            except ConnectionResetError as error:
                raise EOFError from error
            if not count:
                raise EOFError
            found += count
        return bytes(content)

    def read_text(self) -> str:
        """Returns a text with its length, four hexadecimal digits, before."""
        size = int(self.read(_LENGTH_DIGITS), 16)
        return self.read(size).decode(errors="replace")

    def _remaining(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining
