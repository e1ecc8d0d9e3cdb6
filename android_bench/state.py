# SPDX-License-Identifier: Apache-2.0
"""The state of a device at one moment, from what it tells without root."""

import datetime
import re
from collections.abc import Iterator

from android_bench import cpus, device, sections
from tflite_opt.records import android

_ZONES = "/sys/class/thermal/thermal_zone*"
_SUPPLY = "/sys/class/power_supply/battery"
_COMMANDS = {
    "cpus": cpus.COMMAND,
    "thermal": "dumpsys thermalservice",
    "zones": sections.files_command(f"{_ZONES}/type", f"{_ZONES}/temp"),
    "battery": "dumpsys battery",
    "supply": sections.files_command(
        f"{_SUPPLY}/current_now", f"{_SUPPLY}/voltage_now"
    ),
    "saving": "settings get global low_power",
    "power": "dumpsys power | grep -m 1 mWakefulness=",
    "trust": "dumpsys trust | grep -m 1 deviceLocked=",
    "memory": "cat /proc/meminfo",
    "load": "cat /proc/loadavg",
    "uptime": "cat /proc/uptime",
}
_STATUS = re.compile(r"^Thermal Status: (\d+)", re.MULTILINE)
# Other sections hold old values, or limits in the same form.
_CURRENT = re.compile(
    r"^Current temperatures from HAL:\n((?:[ \t]+Temperature\{.*\}\n?)*)",
    re.MULTILINE,
)
_TEMPERATURE = re.compile(
    r"Temperature\{mValue=(-?[\d.]+), mType=(-?\d+), mName=([^,}]*), "
    r"mStatus=(\d+)\}"
)
# Of android.os.Temperature. Those from 6 to 8 are volts, amperes and percent.
_KINDS: dict[int, android.TemperatureKind] = {
    0: "cpu",
    1: "gpu",
    2: "battery",
    3: "skin",
    4: "usb_port",
    5: "power_amplifier",
    9: "npu",
    10: "tpu",
    11: "display",
    12: "modem",
    13: "soc",
    14: "wifi",
    15: "camera",
    16: "flashlight",
    17: "speaker",
    18: "ambient",
    19: "pogo",
}
_CHARGING = "2"
# Sensors that are not fitted, or not in thousandths of a degree.
_CREDIBLE_CELSIUS = (-40.0, 150.0)


def read(asked: device.Device) -> android.DeviceState:
    """Returns the state of a device now; what it hides is None.

    Raises:
        DeviceLostError: If it goes away.
    """
    found = sections.ask(asked, _COMMANDS)
    battery = _fields(found["battery"])
    supply = sections.read_files(found["supply"])
    available_kb = sections.kilobytes(found["memory"], "MemAvailable")
    seen = cpus.Cpus(found["cpus"])
    status = _STATUS.search(found["thermal"])
    return android.DeviceState(
        taken_at=datetime.datetime.now(datetime.timezone.utc).isoformat(),
        online_cpus=seen.online,
        frequencies=seen.frequencies(),
        thermal_status=int(status[1]) if status else None,
        temperatures=tuple(
            [*_hal_temperatures(found["thermal"])] or _zones(found["zones"])
        ),
        battery_fraction=_battery_fraction(battery),
        battery_celsius=_scaled(battery.get("temperature"), 0.1),
        battery_current_ua=sections.whole_number(
            supply.get(f"{_SUPPLY}/current_now")
        ),
        battery_voltage_uv=sections.whole_number(
            supply.get(f"{_SUPPLY}/voltage_now")
        ),
        is_charging=_equals(battery.get("status"), _CHARGING),
        is_powered=_is_powered(battery),
        is_power_saving=_equals(_digit(found["saving"]), "1"),
        is_awake=_equals(_value(found["power"], "mWakefulness"), "Awake"),
        is_locked=_equals(_value(found["trust"], "deviceLocked"), "1"),
        available_memory_bytes=(
            None if available_kb is None else available_kb << 10
        ),
        load_average=_first_float(found["load"]),
        uptime_s=_first_float(found["uptime"]),
    )


def _fields(text: str) -> dict[str, str]:
    """Returns lines `name: value`."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _battery_fraction(battery: dict[str, str]) -> float | None:
    level = sections.whole_number(battery.get("level"))
    scale = sections.whole_number(battery.get("scale"))
    if battery.get("present") == "false" or level is None or not scale:
        return None
    return level / scale


def _is_powered(battery: dict[str, str]) -> bool | None:
    said = [x for name, x in battery.items() if name.endswith(" powered")]
    return "true" in said if said else None


def _hal_temperatures(text: str) -> Iterator[android.Temperature]:
    section = _CURRENT.search(text)
    for celsius, kind, name, status in _TEMPERATURE.findall(
        section[1] if section else ""
    ):
        if int(kind) in _KINDS and _is_credible(float(celsius)):
            yield android.Temperature(
                name=name,
                kind=_KINDS[int(kind)],
                celsius=float(celsius),
                status=int(status),
            )


def _zones(text: str) -> list[android.Temperature]:
    read_files = sections.read_files(text)
    found = []
    for path, name in read_files.items():
        zone, _, file = path.rpartition("/")
        celsius = _scaled(read_files.get(f"{zone}/temp"), 1e-3)
        if file == "type" and celsius is not None and _is_credible(celsius):
            found.append(
                android.Temperature(name=name, kind="zone", celsius=celsius)
            )
    return found


def _is_credible(celsius: float) -> bool:
    low, high = _CREDIBLE_CELSIUS
    return low < celsius < high and celsius != 0


def _scaled(text: str | None, factor: float) -> float | None:
    number = sections.whole_number(text)
    return None if number is None else number * factor


def _equals(found: str | None, wanted: str) -> bool | None:
    return None if found is None else found == wanted


def _digit(text: str) -> str | None:
    # `null` where nobody has set it yet, which means off.
    stripped = text.strip().replace("null", "0")
    return stripped if stripped in ("0", "1") else None


def _value(text: str, name: str) -> str | None:
    found = re.search(rf"\b{name}=(\w+)", text)
    return found[1] if found else None


def _first_float(text: str) -> float | None:
    found = re.match(r"\d+(?:\.\d+)?", text)
    return float(found[0]) if found else None
