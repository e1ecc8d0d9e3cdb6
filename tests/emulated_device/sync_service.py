# SPDX-License-Identifier: Apache-2.0
"""The daemon's side of adb's sync service, versions 1 and 2.

References:
    packages/modules/adb/SYNC.TXT and file_sync_protocol.h in AOSP
"""

import errno
import os
import pathlib
import stat
import struct
from collections.abc import Callable
from typing import BinaryIO, Protocol

from tests.emulated_device import transport

_HEADER = struct.Struct("<4sI")
_STAT = struct.Struct("<3I")
_STAT_2 = struct.Struct("<IQQ4IQqqq")
_ENTRY = struct.Struct("<4I")
_CHUNK_BYTES = 1 << 16
_NOTHING = _STAT_2.pack(*[0] * 11)


class Storage(Protocol):
    """Where the files are, and what may go wrong with them."""

    def host_path(self, path: str) -> pathlib.Path:
        """Returns where a path of the device is on this machine."""
        ...

    def check_create(self, path: str) -> None:
        """Raises OSError if the device may not create this file."""
        ...

    def write(self, file: BinaryIO, chunk: bytes) -> None:
        """Writes as the device's disk would; raises OSError."""
        ...


class SyncService:
    """One conversation.

    Args:
        stream: With the host.
        storage: The device's.
    """

    def __init__(self, stream: transport.Stream, storage: Storage) -> None:
        self._stream = stream
        self._storage = storage

    def run(self) -> None:
        """Answers requests until the host has no more."""
        answers: dict[bytes, Callable[[bytes, str], None]] = {
            b"STAT": self._stat,
            b"STA2": self._stat_2,
            b"LST2": self._stat_2,
            b"LIST": self._list,
            b"LIS2": self._list,
            b"RECV": self._receive,
            b"RCV2": self._receive,
            b"SEND": self._send,
            b"SND2": self._send,
        }
        while True:
            kind, size = _HEADER.unpack(self._stream.read(_HEADER.size))
            path = self._stream.read(size).decode()
            if kind not in answers:
                return
            answers[kind](kind, path)

    def _fail(self, doing: str, error: OSError) -> None:
        reason = f"{doing}: {os.strerror(error.errno or 0)}".encode()
        self._stream.write(_HEADER.pack(b"FAIL", len(reason)) + reason)

    def _stat(self, kind: bytes, path: str) -> None:
        try:
            found = self._storage.host_path(path).lstat()
        except OSError:
            self._stream.write(kind + _STAT.pack(0, 0, 0))
            return
        size = found.st_size & 0xFFFFFFFF
        self._stream.write(
            kind + _STAT.pack(found.st_mode, size, int(found.st_mtime))
        )

    def _stat_2(self, kind: bytes, path: str) -> None:
        self._stream.write(
            kind + _packed(self._storage.host_path(path), kind == b"STA2")
        )

    def _list(self, kind: bytes, path: str) -> None:
        is_new = kind == b"LIS2"
        folder = self._storage.host_path(path)
        for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
            name, found = entry.name.encode(), entry.lstat()
            if is_new:
                packed = _packed(entry, False)
                header = b"DNT2" + packed + struct.pack("<I", len(name))
            else:
                header = b"DENT" + _ENTRY.pack(
                    found.st_mode,
                    found.st_size & 0xFFFFFFFF,
                    int(found.st_mtime),
                    len(name),
                )
            self._stream.write(header + name)
        empty = len(_NOTHING) + 4 if is_new else _ENTRY.size
        self._stream.write(b"DONE" + bytes(empty))

    def _receive(self, kind: bytes, path: str) -> None:
        if kind == b"RCV2":
            # Flags: no compression is offered, so there is none.
            self._stream.read(_HEADER.size)
        try:
            with self._storage.host_path(path).open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    self._stream.write(
                        _HEADER.pack(b"DATA", len(chunk)) + chunk
                    )
        except OSError as error:
            self._fail("open failed", error)
            return
        self._stream.write(_HEADER.pack(b"DONE", 0))

    def _send(self, kind: bytes, path: str) -> None:
        if kind == b"SND2":
            _, mode, _ = struct.unpack("<4sII", self._stream.read(12))
        else:
            path, _, text = path.rpartition(",")
            mode = int(text)
        place = self._storage.host_path(path)
        doing = "couldn't create file"
        has_failed = False
        try:
            self._storage.check_create(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as file:
                doing = "write failed"
                modified = self._write(file)
            place.chmod(stat.S_IMODE(mode) | stat.S_IRUSR | stat.S_IWUSR)
            os.utime(place, (modified, modified))
        except OSError as error:
            if isinstance(error, FileExistsError):
                error = NotADirectoryError(errno.ENOTDIR, "")
            has_failed = True
            self._fail(doing, error)
            # Old hosts would lose the answer if the stream were closed now.
            self._write(None)
        if not has_failed:
            self._stream.write(_HEADER.pack(b"OKAY", 0))

    def _write(self, file: BinaryIO | None) -> int:
        """Takes all data and returns the time of modification after them."""
        while True:
            kind, size = _HEADER.unpack(self._stream.read(_HEADER.size))
            if kind == b"DONE":
                return int(size)
            chunk = self._stream.read(size)
            if file is not None:
                self._storage.write(file, chunk)


def _packed(path: pathlib.Path, follow: bool) -> bytes:
    try:
        found = path.stat() if follow else path.lstat()
    except OSError as error:
        return _STAT_2.pack(error.errno or errno.EIO, *[0] * 10)
    return _STAT_2.pack(
        0,
        found.st_dev,
        found.st_ino,
        found.st_mode,
        found.st_nlink,
        found.st_uid,
        found.st_gid,
        found.st_size,
        int(found.st_atime),
        int(found.st_mtime),
        int(found.st_ctime),
    )
