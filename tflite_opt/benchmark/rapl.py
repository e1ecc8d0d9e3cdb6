# SPDX-License-Identifier: Apache-2.0
"""Energy of the processor packages, by their own counters (RAPL).

Linux shows them to root only, unless it was told otherwise, and in most
virtual machines to nobody. They count all that runs on the processor, so that
an inference is told from the rest by what the idle machine takes.
"""

import dataclasses
import pathlib
import time

from tflite_opt.records import energy

_ROOT = pathlib.Path("/sys/class/powercap")
_IDLE_S = 0.3


@dataclasses.dataclass(frozen=True)
class Reading:
    """Counters at a moment.

    Attributes:
        at_ns: When.
        counters_uj: One for each package.
    """

    at_ns: int
    counters_uj: tuple[int, ...]


class Meter:
    """Reads the counters of all packages.

    Args:
        root: Where Linux shows them.
    """

    def __init__(self, root: pathlib.Path = _ROOT) -> None:
        # `intel-rapl:0` is a package, of AMD's too; `intel-rapl:0:1` a part.
        self._zones = [
            zone
            for zone in sorted(root.glob("intel-rapl:*"))
            if zone.name.count(":") == 1 and _text(zone, "energy_uj")
        ]

    @property
    def is_readable(self) -> bool:
        """Whether there is any counter to read."""
        return bool(self._zones)

    def read(self) -> Reading:
        """Returns the counters now."""
        counters = tuple(int(_text(x, "energy_uj")) for x in self._zones)
        return Reading(at_ns=time.perf_counter_ns(), counters_uj=counters)

    def idle_power_mw(self) -> float:
        """Waits a moment and returns what the machine takes meanwhile."""
        before = self.read()
        time.sleep(_IDLE_S)
        return self.power_mw(before, self.read())

    def power_mw(self, before: Reading, after: Reading) -> float:
        """Returns the mean power between two readings."""
        used_uj = 0
        for zone, first, last in zip(
            self._zones, before.counters_uj, after.counters_uj, strict=True
        ):
            # Counters start again at their largest value.
            range_uj = int(_text(zone, "max_energy_range_uj") or 0)
            used_uj += last - first + (range_uj if last < first else 0)
        # Microjoules per microsecond are watts.
        return used_uj / ((after.at_ns - before.at_ns) / 1e3) * 1e3


def estimate(
    *, power_mw: float, idle_power_mw: float, duration_s: float, num_runs: int
) -> energy.EnergyEstimate:
    """Returns the energy of one inference, what is idle subtracted.

    Args:
        power_mw: Mean while the model ran.
        idle_power_mw: Mean before.
        duration_s: How long it ran.
        num_runs: How often.
    """
    return energy.EnergyEstimate(
        # Milliwatts times seconds are millijoules.
        energy_mj=(power_mw - idle_power_mw) * duration_s / num_runs,
        power_mw=power_mw,
        idle_power_mw=idle_power_mw,
        duration_s=duration_s,
        num_samples=2,
        current_unit="",
        source="RAPL",
    )


def _text(zone: pathlib.Path, name: str) -> str:
    try:
        return (zone / name).read_text().strip()
    except OSError:
        # Most users may not read them.
        return ""
