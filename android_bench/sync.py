# SPDX-License-Identifier: Apache-2.0
"""Files to and from a device, over adb's sync service.

References:
    packages/modules/adb/SYNC.TXT in AOSP
"""

import dataclasses
import struct
import time
from typing import BinaryIO, Protocol

from android_bench import connection

SERVICE = "sync:"

_HEADER = struct.Struct("<4sI")
_STAT = struct.Struct("<4sIII")
_REGULAR_FILE = 0o100000
# The protocol's largest.
_CHUNK_BYTES = 1 << 16
# Sent at once; fewer and larger writes are faster.
_CHUNKS_PER_WRITE = 8
# Between two pieces of a transfer, however slow it is.
_STALL_TIMEOUT_S = 30.0


class Readable(Protocol):
    """What a file is read from."""

    def read(self, size: int) -> bytes:
        """Returns at most `size` bytes; none at the end."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stat:
    """A file or directory.

    Attributes:
        mode: Its type and permissions; 0 if it is not there, or hidden.
        size_bytes: Modulo 4 GiB.
    """

    mode: int
    size_bytes: int


class SyncError(Exception):
    """The device refused; the message is its reason."""


def stat(granted: connection.Connection, remote: str) -> Stat:
    """Returns what the device tells about a path."""
    _request(granted, b"STAT", remote)
    _, mode, size_bytes, _ = _STAT.unpack(granted.read(_STAT.size))
    return Stat(mode=mode, size_bytes=size_bytes)


def send(
    granted: connection.Connection,
    file: Readable,
    remote: str,
    permissions: int,
) -> None:
    """Writes a file on the device; directories above it are made.

    Raises:
        SyncError: If the device cannot. A part may be left there.
        EOFError: If the device went away.
        TimeoutError: If nothing moves any more.
    """
    _request(granted, b"SEND", f"{remote},{_REGULAR_FILE | permissions}")
    buffer = bytearray()
    while chunk := file.read(_CHUNK_BYTES):
        buffer += _HEADER.pack(b"DATA", len(chunk)) + chunk
        if len(buffer) >= _CHUNKS_PER_WRITE * _CHUNK_BYTES:
            # A device that fails says so while it is still being sent to.
            if granted.is_readable():
                _read_status(granted)
            granted.set_timeout(_STALL_TIMEOUT_S)
            granted.send(buffer)
            buffer.clear()
    granted.send(buffer + _HEADER.pack(b"DONE", int(time.time())))
    granted.set_timeout(_STALL_TIMEOUT_S)
    _read_status(granted)


def receive(
    granted: connection.Connection, remote: str, file: BinaryIO
) -> None:
    """Reads a file of the device.

    Raises:
        SyncError: If the device cannot.
        EOFError: If the device went away.
        TimeoutError: If nothing moves any more.
    """
    _request(granted, b"RECV", remote)
    while True:
        granted.set_timeout(_STALL_TIMEOUT_S)
        kind, size = _HEADER.unpack(granted.read(_HEADER.size))
        if kind == b"DONE":
            return
        content = granted.read(size)
        if kind != b"DATA":
            raise SyncError(content.decode(errors="replace"))
        file.write(content)


def _request(
    granted: connection.Connection, kind: bytes, argument: str
) -> None:
    encoded = argument.encode()
    granted.send(_HEADER.pack(kind, len(encoded)) + encoded)


def _read_status(granted: connection.Connection) -> None:
    kind, size = _HEADER.unpack(granted.read(_HEADER.size))
    if kind != b"OKAY":
        raise SyncError(granted.read(size).decode(errors="replace"))
