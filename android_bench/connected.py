# SPDX-License-Identifier: Apache-2.0
"""What an adb server says about the devices it knows."""

import dataclasses
import re
from collections.abc import Sequence

from android_bench import errors

READY = "device"

_LINE = re.compile(
    r"^(?P<serial>\(no serial number\)|\S+)\s+"
    r"(?P<state>no permissions.*?|\S+)(?P<tags>(?: [a-z_]+:\S*)*)$"
)
_MODEL = re.compile(r" model:(\S+)")
_WAYS_OUT = {
    "unauthorized": (
        "Unlock the device and allow this computer's key; if nothing is "
        "asked, revoke USB debugging authorizations there and plug it in again."
    ),
    "authorizing": "Unlock the device and allow this computer's key.",
    "offline": (
        "Plug it in again, or run `adb reconnect offline`; a network device "
        "needs `adb connect` again."
    ),
    "connecting": "Wait a few seconds, or run `adb reconnect`.",
    "no permissions": (
        "Add udev rules for the device's vendor, on Debian with the package "
        "android-sdk-platform-tools-common, and be in the group plugdev; then "
        "run `adb kill-server`."
    ),
}
_BOOT_AGAIN = "Boot it into Android with `adb reboot`."


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConnectedDevice:
    """One line of `adb devices -l`.

    Attributes:
        serial: As adb's `-s` takes it.
        state: `device` when it can be used, else `unauthorized`, `offline`,
            `no permissions`, `recovery`, ...
        model: As the device calls itself; None while it is not let in.
    """

    serial: str
    state: str
    model: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it takes commands."""
        return self.state == READY

    def __str__(self) -> str:
        return f"{self.serial} ({self.model or self.state})"


def parse(text: str) -> list[ConnectedDevice]:
    """Reads the answer to `host:devices-l`."""
    found = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        model = _MODEL.search(match["tags"])
        state = match["state"]
        if state.startswith("no permissions"):
            state = "no permissions"
        found.append(
            ConnectedDevice(
                serial=match["serial"],
                state=state,
                model=model[1] if model else None,
            )
        )
    return found


def not_ready_error(serial: str, state: str) -> errors.DeviceNotReadyError:
    """Returns the error for a device that is connected but cannot be used."""
    return errors.DeviceNotReadyError(
        "A device must be ready to be used. Received: "
        f"serial={serial!r}, which is {state}. "
        f"{_WAYS_OUT.get(state, _BOOT_AGAIN)}"
    )


def missing_error(
    serial: str, devices: Sequence[ConnectedDevice]
) -> errors.DeviceNotReadyError:
    """Returns the error for a serial that no connected device has."""
    return errors.DeviceNotReadyError(
        "`serial` must name a connected device. Received: "
        f"serial={serial!r}. Connected: {listed(devices)}. Run `adb devices`."
    )


def listed(devices: Sequence[ConnectedDevice]) -> str:
    """Returns the devices in one phrase."""
    return ", ".join(map(str, devices)) or "none"
