# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between this machine and a device."""

from tflite_opt.records import errors


class DeviceError(errors.TfliteOptError):
    """Base of all errors of adb and of devices."""


class ServerError(DeviceError):
    """The adb server cannot be started, reached or understood."""


class DeviceNotReadyError(DeviceError):
    """A device that is missing, ambiguous, or does not let adb in."""


class DeviceLostError(DeviceError):
    """A device that went away while it was in use.

    `Device.wait` waits until it is back.
    """


class TransferError(DeviceError):
    """A file that could not be written to a device, or read from it."""


class DeviceTimeoutError(DeviceError):
    """A command or a wait that took too long; the command is dead.

    Attributes:
        stdout: What the command had printed.
        stderr: Likewise.
    """

    def __init__(
        self, message: str, *, stdout: str = "", stderr: str = ""
    ) -> None:
        super().__init__(message)
        self.stdout = stdout
        self.stderr = stderr


class StoppedError(DeviceError):
    """Work on a device that was told to stop."""


class RefusedError(DeviceError):
    """The adb server refused a request.

    Attributes:
        reason: In the server's words.
    """

    def __init__(self, request: str, reason: str) -> None:
        super().__init__(
            f"The adb server refused a request. Received: {request!r}: {reason}"
        )
        self.reason = reason
