# SPDX-License-Identifier: Apache-2.0
"""What the emulated phone does to a program: its speed and its faults.

Away from a phone, a program runs at full speed and without faults.
"""

import contextlib
import datetime
import fcntl
import json
import os
import pathlib
import time
from collections.abc import Iterator

_ALL_CPUS = -1


def _state_dir() -> pathlib.Path | None:
    found = os.environ.get("EMULATED_STATE")
    return pathlib.Path(found) if found else None


def take_fault() -> str | None:
    """Returns the fault of this launch; None for a good one."""
    folder = _state_dir()
    if folder is None:
        return None
    with (folder / "tool_faults").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = json.load(file)
        found = waiting.pop(0) if waiting else None
        file.seek(0)
        file.truncate()
        json.dump(waiting, file)
    return found


@contextlib.contextmanager
def computing() -> Iterator[None]:
    """Heats the phone meanwhile."""
    folder = _state_dir()
    if folder is None:
        yield
        return
    marker = folder / "computing" / str(os.getpid())
    marker.touch()
    try:
        yield
    finally:
        marker.unlink(missing_ok=True)


class Pace:
    """Makes calls take as long as they would on the phone's CPUs."""

    def __init__(self) -> None:
        self._folder = _state_dir()
        self._mask = int(os.environ.get("EMULATED_CPU_MASK", _ALL_CPUS))

    def slow_down(self, duration_ns: int) -> int:
        """Waits, and returns how long a call takes that took this long."""
        slower = round(duration_ns / self._speed())
        time.sleep((slower - duration_ns) / 1e9)
        return slower

    def _speed(self) -> float:
        """Returns the speed in units of this machine, in (0, 1]."""
        if self._folder is None:
            return 1.0
        clock = self._folder / "clock_fraction"
        if not clock.is_file():
            return 1.0
        left = float(clock.read_text())
        capacities = json.loads((self._folder / "capacities").read_text())
        usable = [
            capacity
            for cpu, capacity in enumerate(capacities)
            if self._mask == _ALL_CPUS or self._mask >> cpu & 1
        ]
        return left * max(usable) / max(capacities)


def log_to_phone(lines: list[str]) -> None:
    """Writes lines into the phone's log, as an app does."""
    folder = _state_dir()
    if folder is None:
        return
    now = f"{datetime.datetime.now():%m-%d %H:%M:%S.%f}"[:-3]
    pid = os.getpid()
    with (folder / "logcat").open("a") as file:
        for line in lines:
            file.write(f"{now} {pid:5} {pid:5} {line}\n")
