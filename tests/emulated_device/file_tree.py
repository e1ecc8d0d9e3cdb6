# SPDX-License-Identifier: Apache-2.0
"""The files of an emulated phone: its programs, /proc and /sys."""

import contextlib
import os
import pathlib
import shutil
import sys
import time

from tests.emulated_device import profiles
from tests.emulated_device.climate import Climate

_SCRIPTS = pathlib.Path(__file__).with_name("system_bin")
# Those of Android's toybox that this machine has, too.
_TOYBOX = (
    "[", "awk", "base64", "basename", "cat", "chmod", "cksum", "cmp", "cp",
    "cut", "date", "dd", "df", "dirname", "du", "echo", "env", "expr", "false",
    "find", "grep", "gzip", "head", "ln", "ls", "md5sum", "mkdir", "mkfifo",
    "mktemp", "mv", "nohup", "od", "paste", "pgrep", "pkill", "printf", "ps",
    "pwd", "readlink", "realpath", "rm", "rmdir", "sed", "seq", "setsid",
    "sha1sum", "sleep", "sort", "split", "stat", "tail", "tar", "tee",
    "timeout", "touch", "tr", "true", "uname", "uniq", "wc", "which", "xargs",
)  # fmt: skip
_CPU = "sys/devices/system/cpu"


class FileTree:
    """Files below `root` that follow the state of the phone.

    Args:
        root: The phone's `/`.
        profile: What phone it is.
    """

    def __init__(self, root: pathlib.Path, profile: profiles.Profile) -> None:
        self._root = root
        self._profile = profile
        self._written: dict[str, str] = {}
        self._hidden: set[str] = set()
        self.programs = root / "system/bin"

    def build(self) -> None:
        """Makes all files that never change."""
        for folder in ("data/local/tmp", "data/app", "sdcard", "proc"):
            (self._root / folder).mkdir(parents=True, exist_ok=True)
        self.programs.mkdir(parents=True)
        for name in _TOYBOX:
            if found := shutil.which(name):
                (self.programs / name).symlink_to(found)
        (self.programs / "sh").symlink_to("/bin/sh")
        for script in _SCRIPTS.iterdir():
            copied = self.programs / script.stem
            shutil.copyfile(script, copied)
            copied.chmod(0o755)
        last = self._profile.num_cpus - 1
        self.write(f"{_CPU}/possible", f"0-{last}")
        for cluster in self._profile.clusters:
            related = " ".join(map(str, cluster.cpus))
            for cpu in cluster.cpus:
                folder = f"{_CPU}/cpu{cpu}"
                self.write(f"{folder}/cpu_capacity", str(cluster.capacity))
                for name, value in (
                    ("cpuinfo_max_freq", str(cluster.max_khz)),
                    ("cpuinfo_min_freq", str(cluster.min_khz)),
                    ("scaling_min_freq", str(cluster.min_khz)),
                    ("scaling_governor", "sched_pixel"),
                    ("related_cpus", related),
                ):
                    self.write(f"{folder}/cpufreq/{name}", value)
        for index, name in enumerate(self._profile.zones):
            self.write(f"sys/class/thermal/thermal_zone{index}/type", name)
        self.write("proc/version", "Linux version 6.1.0-emulated")
        self.write("proc/cpuinfo", self._cpuinfo())
        for pattern in self._profile.hidden:
            self.hide(pattern)

    def write(self, path: str, text: str) -> None:
        """Writes a file if it has another text; readers see it whole."""
        if path in self._hidden or self._written.get(path) == text:
            return
        place = self._root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f".{place.name}")
        temporary.write_text(f"{text}\n")
        temporary.replace(place)
        self._written[path] = text

    def hide(self, pattern: str) -> None:
        """Makes files unreadable, even for root."""
        found = list(self._root.glob(pattern.lstrip("/")))
        for place in [path for path in found if not path.is_dir()]:
            self._hidden.add(str(place.relative_to(self._root)))
            place.unlink()
            # A link to itself is there but cannot be opened.
            place.symlink_to(place.name)

    def update(
        self, climate: Climate, *, status: int, is_busy: bool, booted: float
    ) -> None:
        """Writes what changes with time."""
        left = climate.clock_fraction(status)
        for cluster in self._profile.clusters:
            cap = int(cluster.max_khz * left)
            clock = cap if is_busy else cluster.min_khz
            for cpu in cluster.cpus:
                folder = f"{_CPU}/cpu{cpu}/cpufreq"
                self.write(f"{folder}/scaling_max_freq", str(cap))
                self.write(f"{folder}/scaling_cur_freq", str(clock))
        for index, gain in enumerate(self._profile.zones.values()):
            self.write(
                f"sys/class/thermal/thermal_zone{index}/temp",
                str(round(climate.reading(gain) * 1e3)),
            )
        uptime = time.monotonic() - booted
        self.write("proc/uptime", f"{uptime:.2f} {uptime * 4:.2f}")
        load = 1.5 if is_busy else 0.3
        self.write("proc/loadavg", f"{load:.2f} 0.40 0.35 1/2100 12345")
        self.write("proc/meminfo", self._meminfo())

    def _cpuinfo(self) -> str:
        lines = []
        for cpu in range(self._profile.num_cpus):
            lines += [f"processor\t: {cpu}", "CPU implementer\t: 0x41", ""]
        return "\n".join(lines)

    def _meminfo(self) -> str:
        total = self._profile.memory_kb
        return "\n".join(
            f"{f'{name}:':16}{kb:>8} kB"
            for name, kb in (
                ("MemTotal", total),
                ("MemFree", total // 8),
                ("MemAvailable", total // 2),
            )
        )

    def environment(self, state_dir: pathlib.Path) -> dict[str, str]:
        """Returns the environment of a shell on the phone."""
        return {
            "PATH": str(self.programs),
            "HOME": "/",
            "USER": "shell",
            "ANDROID_ROOT": "/system",
            "TMPDIR": str(self._root / "data/local/tmp"),
            "EMULATED_ROOT": str(self._root),
            "EMULATED_STATE": str(state_dir),
            "EMULATED_PYTHON": sys.executable,
        }


def remove(folder: pathlib.Path) -> None:
    """Removes a phone's files, even while processes still end."""
    for _ in range(20):
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
        if not os.path.lexists(folder):
            return
        time.sleep(0.05)
