# SPDX-License-Identifier: Apache-2.0
"""Services of one device, with the errors of a device that goes away."""

import contextlib
from collections.abc import Iterator

from android_bench import (
    connected,
    connection,
    errors,
    host_services,
    shell_command,
)

_GONE = ("not found", "offline", "closed", "connecting", "no devices")


class Channel:
    """Opens services of a device.

    Every method raises `DeviceLostError` if the device goes away meanwhile
    and `DeviceNotReadyError` if it does not let adb in.

    Args:
        services: Of the adb server.
        serial: As the server knows it.
    """

    def __init__(
        self, services: host_services.HostServices, serial: str
    ) -> None:
        self._services = services
        self._serial = serial
        self._has_shell = False

    @contextlib.contextmanager
    def open(
        self, service: str, timeout_s: float
    ) -> Iterator[connection.Connection]:
        """Yields a connection on which the device granted a service.

        Args:
            service: As `sync:`.
            timeout_s: For all that is done in the context.
        """
        try:
            with connection.Connection(
                self._services.address, timeout_s=timeout_s
            ) as opened:
                opened.request(f"host:transport:{self._serial}")
                opened.request(service)
                yield opened
        except errors.RefusedError as error:
            raise self._refused(error) from error
        except EOFError as error:
            raise self._lost("the connection ended") from error

    def _refused(self, error: errors.RefusedError) -> errors.DeviceError:
        reason = error.reason.strip().splitlines()[0]
        for state in ("unauthorized", "authorizing"):
            if state in reason:
                return connected.not_ready_error(self._serial, state)
        if any(word in reason for word in _GONE):
            return self._lost(reason)
        return error

    def _lost(self, reason: str) -> errors.DeviceLostError:
        return errors.DeviceLostError(
            f"{self._serial} went away while it was in use: {reason}. Check "
            "the cable or the network, then resume."
        )

    def require_shell(self) -> None:
        """Checks that commands tell their exit codes.

        Raises:
            DeviceNotReadyError: If the device is too old.
        """
        if self._has_shell:
            return
        try:
            features = self._services.features(self._serial)
        except errors.RefusedError as error:
            raise self._refused(error) from error
        if shell_command.FEATURE not in features:
            raise errors.DeviceNotReadyError(
                "A device must run Android 7 or newer, whose shell tells exit "
                f"codes. Received: serial={self._serial!r}"
            )
        self._has_shell = True
