# SPDX-License-Identifier: Apache-2.0
"""Whether a device is fit to measure: before, between and during launches.

Changes nothing on the device. What a device hides never stops it.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator

from android_bench import device, errors, state
from tflite_opt.records import android
from tflite_opt.records import errors as record_errors

_STATUS_NAMES = (
    "none", "light", "moderate", "severe", "critical", "emergency", "shutdown",
)  # fmt: skip
# Caps are quantized to the clocks a CPU has.
_SAME_CAP = 0.99


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """When a device is not fit to measure.

    Attributes:
        min_battery_fraction: Below it, phones slow themselves down.
        max_battery_celsius: Above it, likewise.
    """

    min_battery_fraction: float = 0.2
    max_battery_celsius: float = 40.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class ThermalGate:
    """When a device is cool enough for the next launch.

    Attributes:
        max_status: Highest thermal status, from 0 to 6. Latencies are longer
            from 1 on.
        max_celsius: Highest temperature of its skin, or else of its battery;
            None for any.
        timeout_s: Longest wait.
        poll_s: Between two looks.
    """

    max_status: int = 0
    max_celsius: float | None = None
    timeout_s: float = 600.0
    poll_s: float = 5.0

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InputError: If one is out of its range.
        """
        if not 0 <= self.max_status < len(_STATUS_NAMES):
            raise record_errors.InputError(
                "`max_status` must be between 0 and 6. "
                f"Received: max_status={self.max_status}"
            )
        for name in ("timeout_s", "poll_s"):
            if getattr(self, name) <= 0:
                raise record_errors.InputError(
                    f"`{name}` must be positive. "
                    f"Received: {name}={getattr(self, name)}"
                )


def obstacles(
    seen: android.DeviceState,
    limits: Limits = Limits(),  # noqa: B008
) -> tuple[str, ...]:
    """Returns why a device is not fit to measure, with the way out.

    Args:
        seen: Its state.
        limits: From where on.

    Returns:
        One sentence each; empty if it is fit.
    """
    return tuple(_obstacles(seen, limits))


def _obstacles(seen: android.DeviceState, limits: Limits) -> Iterator[str]:
    charge, celsius = seen.battery_fraction, seen.battery_celsius
    if charge is not None and charge < limits.min_battery_fraction:
        yield (
            f"The battery is at {charge:.0%}, below "
            f"{limits.min_battery_fraction:.0%}; charge it."
        )
    if celsius is not None and celsius > limits.max_battery_celsius:
        yield (
            f"The battery has {celsius:.1f} °C, above "
            f"{limits.max_battery_celsius:g} °C; let it cool."
        )
    if seen.is_power_saving:
        yield "Battery saver is on; turn it off."
    if seen.is_awake is False:
        yield "The screen is off, which slows the CPUs; wake it."
    if seen.thermal_status:
        yield (
            f"It is throttled, thermal status {_status(seen.thermal_status)}; "
            "let it cool."
        )
    for clock in _capped(seen):
        yield (
            f"CPU {_numbers(clock.cpus)} may only run at {clock.cap_mhz:.0f} "
            f"of {clock.max_mhz:.0f} MHz; let it cool, and leave power saving."
        )


def cautions(seen: android.DeviceState) -> tuple[str, ...]:
    """Returns what may disturb a measurement without stopping it."""
    found = []
    if seen.is_charging:
        found.append("The battery is being charged, which heats the device.")
    if seen.thermal_status is None:
        found.append("The device hides its thermal status.")
    if not seen.frequencies:
        found.append("The device hides the clocks of its CPUs.")
    return tuple(found)


def heat(seen: android.DeviceState, gate: ThermalGate) -> str | None:
    """Returns what is too hot for the next launch; None if it is cool."""
    if (seen.thermal_status or 0) > gate.max_status:
        return f"thermal status {_status(seen.thermal_status or 0)}"
    if gate.max_celsius is None:
        return None
    hottest = seen.hottest("skin") or seen.hottest("battery")
    celsius = hottest.celsius if hottest else seen.battery_celsius
    if celsius is not None and celsius > gate.max_celsius:
        return f"{celsius:.1f} °C"
    return None


def wait_until_cool(
    watched: device.Device,
    gate: ThermalGate,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> android.DeviceState:
    """Waits until a device is cool enough, and returns its state then.

    Args:
        watched: The device.
        gate: What is cool enough.
        sleep: Waits for some seconds.

    Raises:
        DeviceTimeoutError: If it does not cool in time.
        DeviceLostError: If it goes away.
    """
    deadline = time.monotonic() + gate.timeout_s
    while True:
        seen = state.read(watched)
        reason = heat(seen, gate)
        if reason is None:
            return seen
        if time.monotonic() + gate.poll_s > deadline:
            raise errors.DeviceTimeoutError(
                f"{watched.serial} must be cool to be measured. Received: "
                f"{reason} after {gate.timeout_s:g} s. Take it out of its "
                "case and off the charger, or allow more."
            )
        sleep(gate.poll_s)


def disturbances(
    before: android.DeviceState, after: android.DeviceState
) -> tuple[str, ...]:
    """Returns why a launch between two states must be repeated.

    Returns:
        One phrase each; empty if nothing changed that slows a device down.
    """
    found = []
    first, last = before.thermal_status, after.thermal_status
    if first is not None and last is not None and first != last:
        found.append(
            f"thermal status went from {_status(first)} to {_status(last)}"
        )
    caps = {clock.cpus: clock.cap_mhz for clock in before.frequencies}
    for clock in after.frequencies:
        earlier = caps.get(clock.cpus)
        if earlier and clock.cap_mhz and not _is_same(earlier, clock.cap_mhz):
            found.append(
                f"the cap of CPU {_numbers(clock.cpus)} went from "
                f"{earlier:.0f} to {clock.cap_mhz:.0f} MHz"
            )
    if before.online_cpus != after.online_cpus:
        found.append("CPUs were switched on or off")
    uptimes = (before.uptime_s, after.uptime_s)
    if None not in uptimes and uptimes[1] < uptimes[0]:  # type: ignore
        found.append("the device was booted")
    return tuple(found)


def _capped(seen: android.DeviceState) -> list[android.CpuFrequency]:
    return [
        clock
        for clock in seen.frequencies
        if clock.cap_mhz
        and clock.max_mhz
        and clock.cap_mhz < _SAME_CAP * clock.max_mhz
    ]


def _is_same(first_mhz: float, second_mhz: float) -> bool:
    low, high = sorted((first_mhz, second_mhz))
    return low >= _SAME_CAP * high


def _status(status: int) -> str:
    if status < len(_STATUS_NAMES):
        return f"{status} ({_STATUS_NAMES[status]})"
    return str(status)


def _numbers(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
