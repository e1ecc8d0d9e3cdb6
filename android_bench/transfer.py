# SPDX-License-Identifier: Apache-2.0
"""What a transfer needs at its two ends: paths, hashes and clear errors."""

import contextlib
import hashlib
import pathlib
from collections.abc import Iterator
from typing import BinaryIO

from android_bench import errors

_WAYS_OUT = {
    "No space left on device": "Free space on the device.",
    "Permission denied": "Choose a directory below /data/local/tmp.",
    "Read-only file system": "Choose a directory below /data/local/tmp.",
}


def error(
    verb: str, remote: str, serial: str, said: str
) -> errors.TransferError:
    """Returns the error for what a device refused.

    Args:
        verb: What was to be done: `write`, `read`, ...
        remote: The path there.
        serial: Of the device.
        said: By the device; the reason comes last.
    """
    lines = said.strip().splitlines()
    reason = lines[-1] if lines else "no reason given"
    ways_out = [x for text, x in _WAYS_OUT.items() if text in reason]
    return errors.TransferError(
        " ".join(
            [f"Cannot {verb} {remote!r} on {serial}: {reason}.", *ways_out]
        )
    )


def check_path(remote: str) -> None:
    """Refuses paths that are not absolute, or the root.

    Raises:
        TransferError: For those.
    """
    if remote.startswith("/") and remote.strip("/") and "\n" not in remote:
        return
    raise errors.TransferError(
        "A path on a device must be absolute and not its root. "
        f"Received: {remote!r}"
    )


@contextlib.contextmanager
def opened(local: pathlib.Path) -> Iterator[BinaryIO]:
    """Yields a file of this machine, open for reading.

    Raises:
        TransferError: If it cannot be read.
    """
    try:
        file = local.open("rb")
    except OSError as error:
        raise errors.TransferError(
            f"Cannot read {str(local)!r}: {error.strerror}."
        ) from error
    with file:
        yield file


class Hashed:
    """A file that is hashed while it is read.

    Args:
        file: Read once, from its start.

    Attributes:
        size_bytes: What was read so far.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """Of what was read so far, in hexadecimal."""
        return self._digest.hexdigest()

    def read(self, size: int) -> bytes:
        """Returns at most `size` bytes; none at the end."""
        chunk = self._file.read(size)
        self._digest.update(chunk)
        self.size_bytes += len(chunk)
        return chunk
