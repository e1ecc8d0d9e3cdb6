# SPDX-License-Identifier: Apache-2.0
"""What an emulated phone is beside its connections: files, state and heat."""

import contextlib
import dataclasses
import json
import pathlib
import threading
import time
from collections.abc import Mapping
from typing import Any

from tests.emulated_device import climate, dumps, file_tree, profiles

_SUPPLY = "sys/class/power_supply/battery"
# Negative while it discharges, as on a Pixel.
_IDLE_UA, _COMPUTING_UA = 150_000, 700_000
_VOLTAGE_UV = 4_200_000


@dataclasses.dataclass(kw_only=True)
class Condition:
    """What the phone's user may change."""

    battery_percent: int = 80
    battery_celsius: float | None = None
    is_charging: bool = False
    is_powered: bool = True
    is_awake: bool = True
    is_locked: bool = False
    offline_cpus: tuple[int, ...] = ()
    has_thermal_hal: bool = True


class Machine:
    """A phone that nobody talks to.

    Args:
        folder: For its files; must be empty.
        profile: What phone it is.
        serial_number: Its own.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        profile: profiles.Profile,
        serial_number: str,
    ) -> None:
        self.root = folder.resolve() / "root"
        self.state_dir = folder.resolve() / "state"
        self.profile = profile
        self.serial_number = serial_number
        self.climate = climate.Climate()
        self.condition = Condition()
        self._lock = threading.RLock()
        self._tree = file_tree.FileTree(self.root, profile)
        self._booted = self._updated = time.monotonic()
        self._prepare()
        self.update()

    def _prepare(self) -> None:
        self._tree.build()
        for folder in ("computing", "dumpsys", "packages", "settings/global",
                       "settings/system", "settings/secure"):  # fmt: skip
            (self.state_dir / folder).mkdir(parents=True)
        self.set_properties({})
        self._write("logcat", "--------- beginning of main\n")
        self._write("capacities", json.dumps(self.profile.capacities))
        self._write("fixed_performance", "false")
        self._write("settings/global/low_power", "0")
        self._write("settings/global/airplane_mode_on", "0")
        self._write("settings/global/stay_on_while_plugged_in", "0")
        self._write("tool_faults", "[]")

    @property
    def model(self) -> str:
        """As it calls itself."""
        return self.profile.properties["ro.product.model"]

    @property
    def environment(self) -> dict[str, str]:
        """Of its shell."""
        return self._tree.environment(self.state_dir)

    def boot(self) -> None:
        """Starts time again."""
        self._booted = time.monotonic()
        self.update()

    def change(self, **values: Any) -> None:
        """Changes the `condition`, at once."""
        with self._lock:
            self.condition = dataclasses.replace(self.condition, **values)
        self.update()

    def warm_up(self, celsius: float) -> None:
        """Gives the skin a temperature, at once."""
        with self._lock:
            self.climate.celsius = celsius
        self.update()

    def set_properties(self, values: Mapping[str, str]) -> None:
        """Gives properties other values than the profile's."""
        own = {"ro.serialno": self.serial_number, **values}
        self._write(
            "properties", dumps.properties(self.profile.properties | own)
        )

    def remove_programs(self, *names: str) -> None:
        """Takes programs away, as old systems lack them."""
        for name in names:
            (self._tree.programs / name).unlink()

    def hide(self, pattern: str) -> None:
        """Denies files below /sys or /proc from now on."""
        with self._lock:
            self._tree.hide(pattern)

    def settings(self, namespace: str = "global") -> dict[str, str]:
        """Returns all settings of a namespace."""
        folder = self.state_dir / "settings" / namespace
        return {x.name: x.read_text().strip() for x in folder.iterdir()}

    def has_fixed_performance(self) -> bool:
        """Returns whether the fixed-performance mode is on."""
        return self._read("fixed_performance") == "true"

    def host_path(self, path: str) -> pathlib.Path:
        """Returns where a path of the phone is on this machine."""
        return self.root / path.lstrip("/")

    def update(self) -> None:
        """Brings files and dumps up to date."""
        with self._lock:
            now = time.monotonic()
            computing = self._num_computing()
            self.climate.advance(now - self._updated, computing)
            self._updated = now
            status = self._status()
            self._tree.update(
                self.climate,
                status=status,
                is_busy=computing > 0,
                booted=self._booted,
            )
            offline = self.condition.offline_cpus
            online = [
                x for x in range(self.profile.num_cpus) if x not in offline
            ]
            self._tree.write(
                "sys/devices/system/cpu/online", dumps.cpu_list(online)
            )
            self._update_supply(computing)
            self._write("online_mask", str(sum(1 << x for x in online)))
            self._write(
                "clock_fraction", str(self.climate.clock_fraction(status))
            )
            self._write("dumpsys/thermalservice", dumps.thermal(self, status))
            self._write("dumpsys/battery", dumps.battery(self))
            self._write("dumpsys/trust", dumps.trust(self.condition.is_locked))
            if self._read("last_awake") != str(self.condition.is_awake):
                # Programs may wake it, too.
                self._write("last_awake", str(self.condition.is_awake))
                self._write(
                    "wakefulness",
                    "Awake" if self.condition.is_awake else "Asleep",
                )

    def _update_supply(self, num_computing: int) -> None:
        drawn_ua = _IDLE_UA + _COMPUTING_UA * num_computing
        for name, value in (
            ("current_now", -drawn_ua),
            ("voltage_now", _VOLTAGE_UV),
        ):
            self._tree.write(f"{_SUPPLY}/{name}", str(value))

    def _status(self) -> int:
        override = self._read("status_override")
        return int(override) if override else self.climate.status

    def _num_computing(self) -> int:
        count = 0
        for marker in (self.state_dir / "computing").iterdir():
            if pathlib.Path(f"/proc/{marker.name}").exists():
                count += 1
            else:
                marker.unlink(missing_ok=True)
        return count

    def _write(self, name: str, text: str) -> None:
        place = self.state_dir / name
        temporary = place.with_name(f"{place.name}.new")
        temporary.write_text(text)
        temporary.replace(place)

    def _read(self, name: str) -> str:
        with contextlib.suppress(FileNotFoundError):
            return (self.state_dir / name).read_text().strip()
        return ""
