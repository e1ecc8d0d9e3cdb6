# SPDX-License-Identifier: Apache-2.0
"""Settings of a phone that make measurements steadier, and are put back.

None of them needs root. Airplane mode ends a connection over Wi-Fi, so it is
refused there.
"""

import dataclasses
import shlex

from android_bench import device as device_lib
from android_bench import errors, workspace

_STAY_ON = ("global", "stay_on_while_plugged_in")
_AIRPLANE = ("global", "airplane_mode_on")
_FIXED_PERFORMANCE = ("cmd", "power", "set-fixed-performance-mode-enabled")
_AIRPLANE_MODE = ("cmd", "connectivity", "airplane-mode")
# AC, USB and wireless charging.
_ALWAYS = "7"
_UNSET = "null"
_THIS_MACHINE = ("127.0.0.1", "localhost")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What is asked of a phone while it measures.

    Attributes:
        stay_awake: The screen stays on while it is plugged in.
        fixed_performance: Android 11's mode of clocks that can be held;
            without an effect on phones whose maker does not support it.
        airplane_mode: No radio.
    """

    stay_awake: bool = False
    fixed_performance: bool = False
    airplane_mode: bool = False

    def apply(
        self, device: device_lib.Device, space: workspace.Workspace
    ) -> None:
        """Changes the settings; leaving the workspace puts them back.

        Raises:
            DeviceError: If the device refuses one, or is connected over
                Wi-Fi and shall go into airplane mode.
        """
        if self.airplane_mode and _is_over_network(device.serial):
            raise errors.DeviceError(
                "Airplane mode must be used over USB; it would end this "
                f"connection. Received: serial={device.serial!r}. Leave out "
                "--airplane_mode."
            )
        if self.stay_awake:
            old = _get(device, _STAY_ON)
            space.undo_at_end(
                f"settings delete {' '.join(_STAY_ON)}"
                if old == _UNSET
                else f"settings put {' '.join(_STAY_ON)} {shlex.quote(old)}"
            )
        if self.fixed_performance:
            space.undo_at_end(f"{' '.join(_FIXED_PERFORMANCE)} false")
        if self.airplane_mode and _get(device, _AIRPLANE) != "1":
            space.undo_at_end(f"{' '.join(_AIRPLANE_MODE)} disable")
        self.apply_again(device)

    def apply_again(self, device: device_lib.Device) -> None:
        """Changes the settings as before, as after a reboot.

        Raises:
            DeviceError: If the device refuses one.
        """
        if self.stay_awake:
            _run(
                device, ["settings", "put", *_STAY_ON, _ALWAYS], "--stay_awake"
            )
        if self.fixed_performance:
            _run(device, [*_FIXED_PERFORMANCE, "true"], "--fixed_performance")
        if self.airplane_mode:
            _run(device, [*_AIRPLANE_MODE, "enable"], "--airplane_mode")


def _is_over_network(serial: str) -> bool:
    host, colon, _ = serial.rpartition(":")
    # A port of this machine leads to an emulator.
    return bool(colon) and host not in _THIS_MACHINE


def _get(device: device_lib.Device, key: tuple[str, str]) -> str:
    return device.shell(["settings", "get", *key]).stdout.strip() or _UNSET


def _run(device: device_lib.Device, command: list[str], flag: str) -> None:
    done = device.shell(command)
    # `cmd` may fail with exit code 0 and a text.
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    if done.exit_code or any("Exception" in line for line in said):
        raise errors.DeviceError(
            f"The device must know `{shlex.join(command)}`. Received: "
            f"{device.serial}: {said[0] if said else done.exit_code}. Leave "
            f"out {flag}."
        )
