# SPDX-License-Identifier: Apache-2.0
"""The CPUs of this machine, and the state they are in.

Reads what the kernel shows without rights; what it hides is None.
"""

import contextlib
import os
import pathlib
import platform
import re

from tflite_opt.records import benchmark, errors, machine

_ROOT = pathlib.Path("/")
_ONLINE = "sys/devices/system/cpu/online"
# Columns of a CPU's line in /proc/stat: time in another state each, of which
# the last two are part of the first two.
_STEAL, _NUM_STATES = 7, 8


def processor() -> str:
    """Returns the processor's name."""
    found = re.search(
        r"^model name\s*: *(.*)$", _text(_ROOT / "proc/cpuinfo"), re.MULTILINE
    )
    if found:
        return found[1].strip()
    return platform.processor() or platform.machine()


def usable_cpus() -> tuple[int, ...]:
    """Returns the CPUs this process may use; empty if that is not known."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return ()


def check_mask(
    options: benchmark.RuntimeOptions, root: pathlib.Path = _ROOT
) -> None:
    """Checks that a launch can be kept on the CPUs it is asked for.

    Args:
        options: With or without a mask.
        root: Where `sys` is.

    Raises:
        InputError: If one is offline or not for this process, or this system
            has no masks.
    """
    wanted = set(options.cpus())
    if not wanted:
        return
    usable = set(usable_cpus())
    online = _parse_list(_text(root / _ONLINE)) or usable
    for state, there in (("online", online), ("this process's", usable)):
        if wanted - there:
            raise errors.InputError(
                f"`cpu_mask` must name CPUs that are {state}. Received: "
                f"cpu_mask={options.cpu_mask}, CPU "
                f"{', '.join(map(str, sorted(wanted - there)))}. There are: "
                f"{', '.join(map(str, sorted(there))) or 'none known'}."
            )


def _parse_list(text: str) -> set[int]:
    """Returns the numbers of a kernel's list, as `0-3,8`."""
    numbers: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers


class Watch:
    """Watches the machine from when it is made to `stop`."""

    def __init__(self, root: pathlib.Path = _ROOT) -> None:
        self._root = root
        self._cpus = usable_cpus()
        self._mhz = self._read_mhz()
        self._load = _load_average()
        self._times = self._read_times()

    def stop(self) -> machine.MachineState:
        """Returns what was seen in between."""
        times = self._read_times()
        steal = None
        if len(times) == len(self._times) == _NUM_STATES:
            spent = [b - a for a, b in zip(self._times, times, strict=True)]
            steal = max(spent[_STEAL], 0) / max(sum(spent), 1)
        return machine.MachineState(
            cpus=self._cpus,
            mhz_before=self._mhz,
            mhz_after=self._read_mhz(),
            load_before=self._load,
            load_after=_load_average(),
            steal_fraction=steal,
        )

    def _read_mhz(self) -> float | None:
        folder = self._root / "sys/devices/system/cpu"
        found = [
            int(text) / 1e3
            for cpu in self._cpus
            if (text := _text(folder / f"cpu{cpu}/cpufreq/scaling_cur_freq"))
        ]
        if not found:
            # A virtual machine mostly has this one only.
            listed = re.findall(
                r"^cpu MHz\s*: *([0-9.]+)$",
                _text(self._root / "proc/cpuinfo"),
                re.MULTILINE,
            )
            found = [
                float(mhz)
                for cpu, mhz in enumerate(listed)
                if cpu in self._cpus
            ]
        return sum(found) / len(found) if found else None

    def _read_times(self) -> list[int]:
        """Returns the time the CPUs spent in each state, in ticks."""
        wanted = {f"cpu{cpu}" for cpu in self._cpus}
        lines = [
            line.split()
            for line in _text(self._root / "proc/stat").splitlines()
            if line.partition(" ")[0] in wanted
        ]
        columns = [
            [int(ticks) for ticks in line[1 : 1 + _NUM_STATES]]
            for line in lines
        ]
        return [sum(column) for column in zip(*columns, strict=False)]


def _load_average() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def _text(path: pathlib.Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace")
    return ""
