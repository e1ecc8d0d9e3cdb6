# SPDX-License-Identifier: Apache-2.0
"""What the programs of an emulated phone print about its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.emulated_device import machine as machine_module

_CHARGING, _NOT_CHARGING, _DISCHARGING = 2, 4, 3


def properties(values: Mapping[str, str]) -> str:
    """Returns what `getprop` prints."""
    return "".join(f"[{x}]: [{y}]\n" for x, y in sorted(values.items()))


def cpu_list(numbers: Sequence[int]) -> str:
    """Returns CPUs as the kernel lists them: `0-3,8`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(
        f"{run[0]}-{run[-1]}" if run[1:] else str(run[0]) for run in runs
    )


def battery(machine: machine_module.Machine) -> str:
    """Returns what `dumpsys battery` prints."""
    condition = machine.condition
    celsius = condition.battery_celsius
    if celsius is None:
        celsius = machine.climate.reading(0.8)
    status = _DISCHARGING
    if condition.is_powered:
        status = _CHARGING if condition.is_charging else _NOT_CHARGING
    return "\n".join(
        [
            "Current Battery Service state:",
            "  AC powered: false",
            f"  USB powered: {str(condition.is_powered).lower()}",
            "  Wireless powered: false",
            "  Dock powered: false",
            "  Max charging current: 500000",
            "  Max charging voltage: 5000000",
            "  Charge counter: 3512000",
            f"  status: {status}",
            "  health: 2",
            "  present: true",
            f"  level: {condition.battery_percent}",
            "  scale: 100",
            "  voltage: 4200",
            f"  temperature: {round(celsius * 10)}",
            "  technology: Li-ion",
            "",
        ]
    )


def thermal(machine: machine_module.Machine, status: int) -> str:
    """Returns what `dumpsys thermalservice` prints."""
    has_hal = machine.condition.has_thermal_hal
    lines = [
        "IsStatusOverride: false",
        "ThermalEventListeners:",
        "\tcallbacks: 1",
        "\tkilled: false",
        "\tbroadcasts count: -1",
        "ThermalStatusListeners:",
        "\tcallbacks: 1",
        "\tkilled: false",
        "\tbroadcasts count: -1",
        f"Thermal Status: {status}",
        "Cached temperatures:",
        # Old, as on a real machine.
        *(_line(x.name, x.kind, 61.5, 3) for x in machine.profile.sensors[:2]),
        f"HAL Ready: {str(has_hal).lower()}",
    ]
    if has_hal:
        lines += [
            "HAL connection:",
            "\tThermalHAL AIDL 1 connected: yes",
            "Current temperatures from HAL:",
            *(
                _line(
                    sensor.name,
                    sensor.kind,
                    machine.climate.reading(sensor.gain)
                    if sensor.fixed is None
                    else sensor.fixed,
                    status if sensor.kind == 3 else 0,
                )
                for sensor in machine.profile.sensors
            ),
            "Current cooling devices from HAL:",
            "\tCoolingDevice{mValue=0, mType=2, mName=thermal-cpufreq-0}",
            "Temperature static thresholds from HAL:",
        ]
    return "\n".join([*lines, ""])


def _line(name: str, kind: int, celsius: float, status: int) -> str:
    return (
        f"\tTemperature{{mValue={celsius:.4f}, mType={kind}, mName={name}, "
        f"mStatus={status}}}"
    )


def trust(is_locked: bool) -> str:
    """Returns the line of `dumpsys trust` that tells of the lock."""
    return (
        'Trust manager state:\n User "Owner" (id=0, flags=0x4c13) (current): '
        f"trustState=UNTRUSTED, trustManaged=0, deviceLocked={int(is_locked)}, "
        "isActiveUnlockRunning=0, strongAuthRequired=0x0\n"
    )
