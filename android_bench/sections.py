# SPDX-License-Identifier: Apache-2.0
"""Asks a device several things in one command.

A command over adb costs more than what it does here: reading a file.
"""

import re
from collections.abc import Mapping

from android_bench import device

_TIMEOUT_S = 60.0
_MARKER = "==> tflite_opt "
# Whoever hides a file gives an error instead, which nobody needs.
_FILES = "grep -sH ''"
_SYSFS_LINE = re.compile(r"^(/[^:]*):(.*)$", re.MULTILINE)


def ask(asked: device.Device, commands: Mapping[str, str]) -> dict[str, str]:
    """Returns what each command prints to stdout.

    Args:
        asked: The device.
        commands: By a name of one word; for the device's `sh`. One that fails
            does not hinder the others.
    """
    script = "\n".join(
        f"echo '{_MARKER}{name}'\n{{ {command}; }} 2>/dev/null </dev/null\necho"
        for name, command in commands.items()
    )
    done = asked.run_script(f"{script}\nexit 0", timeout_s=_TIMEOUT_S)
    found = dict.fromkeys(commands, "")
    printed = f"\n{done.stdout}".removesuffix("\n")
    for part in printed.split(f"\n{_MARKER}")[1:]:
        name, _, text = part.partition("\n")
        found[name] = text
    return found


def files_command(*patterns: str) -> str:
    """Returns a command that prints files for `read_files`."""
    return f"{_FILES} {' '.join(patterns)}"


def read_files(text: str) -> dict[str, str]:
    """Returns the first line of each readable file by its path."""
    found: dict[str, str] = {}
    for path, line in _SYSFS_LINE.findall(text):
        found.setdefault(path, line.strip())
    return found


def whole_number(text: str | None) -> int | None:
    """Returns a number; None for anything else."""
    stripped = (text or "").strip()
    return int(stripped) if re.fullmatch(r"-?\d+", stripped) else None


def cpu_list(text: str | None) -> tuple[int, ...]:
    """Returns the numbers of a kernel's list: `0-3,8` or `0 1 2`."""
    numbers: list[int] = []
    for part in re.findall(r"\d+(?:-\d+)?", text or ""):
        first, _, last = part.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return tuple(numbers)


def kilobytes(meminfo: str, name: str) -> int | None:
    """Returns a line of /proc/meminfo, in kB."""
    found = re.search(rf"^{name}: +(\d+) kB$", meminfo, re.MULTILINE)
    return int(found[1]) if found else None
