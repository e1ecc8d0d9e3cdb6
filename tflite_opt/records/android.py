# SPDX-License-Identifier: Apache-2.0
"""An Android device, and the state it is in; what it hides is None."""

import dataclasses
from typing import Literal

from tflite_opt.records import benchmark, serialization

TemperatureKind = Literal[
    "cpu", "gpu", "battery", "skin", "usb_port", "power_amplifier", "npu",
    "tpu", "display", "modem", "soc", "wifi", "camera", "flashlight",
    "speaker", "ambient", "pogo", "zone",
]  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class CpuCluster(serialization.Record):
    """CPUs of the same speed.

    Attributes:
        name: `little`, `mid`, `big` or `prime`, from the slowest.
        cpus: Their numbers, ascending.
        max_mhz: Highest clock they are built for.
        capacity: The kernel's measure of speed; the fastest CPU has 1024.
    """

    name: str
    cpus: tuple[int, ...]
    max_mhz: float | None = None
    capacity: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class AndroidDevice(serialization.Record):
    """What a device is, which does not change while it is measured.

    Attributes:
        device_key: Salted hash that tells devices apart, never a serial.
        manufacturer: As `Google`.
        model: As its users know it.
        device: Its code name.
        soc: Manufacturer and model of the system on chip, or its platform.
        abis: What it runs, best first: `arm64-v8a`, ...
        android_version: As `15`.
        sdk: API level.
        fingerprint: Of the build.
        clusters: From the slowest; empty where the kernel hides them.
        num_cpus: How many it is built with.
        memory_bytes: Of main memory.
        is_rooted: Whether adb has, or can get, root.
        is_emulator: Whether it is not real hardware.
    """

    device_key: str
    manufacturer: str | None
    model: str | None
    device: str | None
    soc: str | None
    abis: tuple[str, ...]
    android_version: str | None
    sdk: int | None
    fingerprint: str | None
    clusters: tuple[CpuCluster, ...]
    num_cpus: int | None
    memory_bytes: int | None
    is_rooted: bool
    is_emulator: bool

    def info(self) -> benchmark.DeviceInfo:
        """Returns what every result tells about its device."""
        named = " ".join(filter(None, (self.manufacturer, self.model)))
        soc = f" ({self.soc})" if self.soc else ""
        return benchmark.DeviceInfo(
            device_key=self.device_key,
            model=f"{named or 'unknown'}{soc}",
            abi=self.abis[0] if self.abis else "unknown",
            os=f"Android {self.android_version or 'unknown'}",
            num_cpus=self.num_cpus or 1,
            is_emulator=self.is_emulator,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Temperature(serialization.Record):
    """One sensor.

    Attributes:
        name: As the device calls it.
        kind: What it measures; `zone` if the device does not say.
        celsius: The reading.
        status: From 0, not throttled, to 6, shutting down; None if the
            device does not judge it.
    """

    name: str
    kind: TemperatureKind
    celsius: float
    status: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class CpuFrequency(serialization.Record):
    """The clock of CPUs that share one.

    Attributes:
        cpus: Their numbers.
        governor: What chooses the clock.
        current_mhz: At this moment.
        cap_mhz: Highest the governor may choose now.
        max_mhz: Highest they are built for; a lower cap means throttling.
    """

    cpus: tuple[int, ...]
    governor: str | None = None
    current_mhz: float | None = None
    cap_mhz: float | None = None
    max_mhz: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeviceState(serialization.Record):
    """What could make two launches differ that measure the same thing.

    Attributes:
        taken_at: UTC, ISO 8601.
        online_cpus: Numbers of the CPUs that run; empty if not known.
        frequencies: One for each clock.
        thermal_status: From 0, not throttled, to 6, shutting down.
        temperatures: Current ones; cached ones are never taken.
        battery_fraction: Charge, in [0, 1].
        battery_celsius: Its temperature.
        battery_current_ua: As the device gives it: sign and unit differ
            between makers.
        battery_voltage_uv: Likewise.
        is_charging: Whether the battery is.
        is_powered: Whether a charger or USB port feeds the device.
        is_power_saving: Whether battery saver is on.
        is_awake: Whether the screen is on.
        is_locked: Whether it waits for its user's PIN.
        available_memory_bytes: For new programs.
        load_average: Processes that ran or waited for a CPU, over a minute.
        uptime_s: Since it was booted.
    """

    taken_at: str
    online_cpus: tuple[int, ...] = ()
    frequencies: tuple[CpuFrequency, ...] = ()
    thermal_status: int | None = None
    temperatures: tuple[Temperature, ...] = ()
    battery_fraction: float | None = None
    battery_celsius: float | None = None
    battery_current_ua: int | None = None
    battery_voltage_uv: int | None = None
    is_charging: bool | None = None
    is_powered: bool | None = None
    is_power_saving: bool | None = None
    is_awake: bool | None = None
    is_locked: bool | None = None
    available_memory_bytes: int | None = None
    load_average: float | None = None
    uptime_s: float | None = None

    def hottest(self, *kinds: TemperatureKind) -> Temperature | None:
        """Returns the hottest sensor of some kinds; None without any."""
        found = [x for x in self.temperatures if x.kind in kinds]
        return max(found, key=lambda x: x.celsius, default=None)
