# SPDX-License-Identifier: Apache-2.0
"""One measurement at a time on a device: two would disturb each other."""

import contextlib
import fcntl
import pathlib
import tempfile
from collections.abc import Iterator

from android_bench import errors


@contextlib.contextmanager
def hold(device_key: str, serial: str) -> Iterator[None]:
    """Holds a device against other processes of this machine.

    The kernel lets go of it when this process ends, however it does.

    Args:
        device_key: Tells devices apart.
        serial: For the message.

    Raises:
        DeviceNotReadyError: If another one holds it.
    """
    path = pathlib.Path(tempfile.gettempdir()) / f"tflite_opt.{device_key}.lock"
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise errors.DeviceNotReadyError(
                "A device must be measured by one process at a time. Received: "
                f"serial={serial!r}, which another one measures. Wait for its "
                "end."
            ) from error
        yield
