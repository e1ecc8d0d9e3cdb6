# SPDX-License-Identifier: Apache-2.0
"""The daemon's side of adb's transport: packets and streams over TCP.

References:
    packages/modules/adb/protocol.txt in AOSP
"""

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable

_COMMANDS = ("CNXN", "AUTH", "OPEN", "OKAY", "WRTE", "CLSE")
_NUMBERS = {name: int.from_bytes(name.encode(), "little") for name in _COMMANDS}
_NAMES = {number: name for name, number in _NUMBERS.items()}
_HEADER = struct.Struct("<6I")
_MASK = 0xFFFFFFFF
# From this version on, checksums may be left out.
_VERSION = 0x01000001
_MAX_DATA_BYTES = 1 << 20
_TOKEN, _SIGNATURE, _PUBLIC_KEY = 1, 2, 3
_TOKEN_BYTES = 20
_DRAIN_TIMEOUT_S = 10.0


class Stream:
    """One service that the host opened."""

    def __init__(self, transport: "Transport", own: int, remote: int) -> None:
        self._transport = transport
        self.own, self.remote = own, remote
        self._changed = threading.Condition()
        self._received = bytearray()
        self._may_write = True
        self.is_open = True

    def read(self, size: int) -> bytes:
        """Returns exactly `size` bytes; EOFError if the host closes before."""
        with self._changed:
            self._changed.wait_for(
                lambda: len(self._received) >= size or not self.is_open
            )
            if len(self._received) < size:
                raise EOFError
            found = bytes(self._received[:size])
            del self._received[:size]
            return found

    def read_some(self) -> bytes:
        """Returns what there is, at least a byte; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._received or not self.is_open)
            found = bytes(self._received)
            self._received.clear()
            return found

    def write(self, content: bytes) -> None:
        """Sends all; each packet waits until the one before arrived."""
        size = self._transport.max_data_bytes
        for start in range(0, len(content), size):
            self._wait_until_acknowledged(None)
            with self._changed:
                if not self.is_open:
                    raise EOFError
                self._may_write = False
            chunk = content[start : start + size]
            self._transport.send("WRTE", self.own, self.remote, chunk)

    def drain(self) -> None:
        """Waits until the last packet arrived."""
        self._wait_until_acknowledged(_DRAIN_TIMEOUT_S)

    def _wait_until_acknowledged(self, timeout_s: float | None) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._may_write or not self.is_open, timeout_s
            )

    def receive(self, content: bytes) -> None:
        with self._changed:
            self._received += content
            self._changed.notify_all()

    def acknowledge(self) -> None:
        with self._changed:
            self._may_write = True
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self.is_open = False
            self._changed.notify_all()


class Transport:
    """One connection of an adb server.

    Args:
        connected: The socket.
        banner: What the device tells of itself.
        is_trusted: Whether the host's key is known; None accepts any.
        serve: Runs a service on a stream, which is closed afterwards; returns
            False at once for a service that there is not.
        pace: Called with each packet that arrived, before it is taken.
    """

    def __init__(
        self,
        connected: socket.socket,
        *,
        banner: str,
        is_trusted: Callable[[], bool],
        serve: Callable[[Stream, str], Callable[[], None] | None],
        pace: Callable[[str, bytes], None],
    ) -> None:
        self._socket = connected
        self._banner = banner
        self._is_trusted = is_trusted
        self._serve = serve
        self._pace = pace
        self._lock = threading.Lock()
        self._streams: dict[int, Stream] = {}
        self._next = 1
        self.max_data_bytes = _MAX_DATA_BYTES

    def run(self) -> None:
        """Answers the host until either side ends the connection."""
        try:
            while True:
                header = _HEADER.unpack(self._receive(_HEADER.size))
                command, first, second, size, _, magic = header
                if magic != command ^ _MASK:
                    break
                content = self._receive(size)
                self._pace(_NAMES.get(command, "?"), content)
                self._handle(_NAMES.get(command, "?"), first, second, content)
        except (EOFError, OSError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Ends the connection and all its streams."""
        # A thread that waits for the host must notice, too.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for stream in list(self._streams.values()):
            stream.close()

    def send(
        self, command: str, first: int = 0, second: int = 0, data: bytes = b""
    ) -> None:
        """Sends one packet."""
        number = _NUMBERS[command]
        header = _HEADER.pack(
            number, first, second, len(data), 0, number ^ _MASK
        )
        try:
            with self._lock:
                self._socket.sendall(header + data)
        except OSError as error:
            raise EOFError from error

    def _receive(self, size: int) -> bytes:
        content = bytearray(size)
        view, found = memoryview(content), 0
        while found < size:
            count = self._socket.recv_into(view[found:])
            if not count:
                raise EOFError
            found += count
        return bytes(content)

    def _handle(
        self, command: str, first: int, second: int, content: bytes
    ) -> None:
        if command == "CNXN":
            self.max_data_bytes = min(second, _MAX_DATA_BYTES)
            # The host must sign this with a key the device knows.
            self.send("AUTH", _TOKEN, 0, os.urandom(_TOKEN_BYTES))
        elif command == "AUTH":
            self._authenticate(first)
        elif command == "OPEN":
            self._open(first, content)
        elif stream := self._streams.get(second):
            if command == "OKAY":
                stream.acknowledge()
            elif command == "WRTE":
                stream.receive(content)
                self.send("OKAY", second, first)
            elif command == "CLSE":
                self._streams.pop(second, None)
                stream.close()

    def _authenticate(self, kind: int) -> None:
        if kind == _SIGNATURE and not self._is_trusted():
            # Makes the host offer its public key, which a person must accept.
            self.send("AUTH", _TOKEN, 0, os.urandom(_TOKEN_BYTES))
        elif self._is_trusted():
            self.send("CNXN", _VERSION, _MAX_DATA_BYTES, self._banner.encode())

    def _open(self, remote: int, content: bytes) -> None:
        stream = Stream(self, self._next, remote)
        self._next += 1
        service = content.rstrip(b"\0").decode()
        work = self._serve(stream, service)
        if work is None:
            self.send("CLSE", 0, remote)
            return
        self._streams[stream.own] = stream
        self.send("OKAY", stream.own, remote)
        threading.Thread(
            target=self._work, args=(stream, work), daemon=True
        ).start()

    def _work(self, stream: Stream, work: Callable[[], None]) -> None:
        try:
            work()
            stream.drain()
            if stream.is_open:
                self.send("CLSE", stream.own, stream.remote)
        except EOFError:
            pass
        finally:
            self._streams.pop(stream.own, None)
            stream.close()


class Listener:
    """Accepts connections on a port of this machine until it is closed.

    Args:
        accept: Takes a socket; called in a thread of its own each time.
        port: 0 for a free one.
    """

    # The adb server takes what listens there for an emulator of its own.
    _RESERVED = range(5554, 5586)

    def __init__(
        self, accept: Callable[[socket.socket], None], port: int = 0
    ) -> None:
        self._accept = accept
        self._lock = threading.Lock()
        self._is_closed = False
        self._socket = _listening(port)
        while self._port() in self._RESERVED:
            self._socket.close()
            self._socket = _listening(0)
        self.port = self._port()
        self._start()

    def _port(self) -> int:
        return int(self._socket.getsockname()[1])

    def _start(self) -> None:
        threading.Thread(
            target=self._run, args=(self._socket,), daemon=True
        ).start()

    def pause(self) -> None:
        """Refuses connections until `resume`."""
        with self._lock:
            # Closing alone does not wake the thread that accepts.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()

    def resume(self) -> None:
        """Accepts connections again, unless it was closed."""
        with self._lock:
            if self._is_closed or self._socket.fileno() != -1:
                return
            self._socket = _listening(self.port)
            self._start()

    def close(self) -> None:
        """Accepts no more connections."""
        self._is_closed = True
        self.pause()

    def _run(self, listening: socket.socket) -> None:
        while True:
            try:
                connected, _ = listening.accept()
            except OSError:
                return
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(
                target=self._accept, args=(connected,), daemon=True
            ).start()


def _listening(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))
