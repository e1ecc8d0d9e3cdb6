# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of other processes."""

import pathlib


def is_gone(pid: int) -> bool:
    """Returns whether a process is at most a zombie.

    Who started an orphan cannot wait for it, and `init` may take seconds.
    """
    return _state_and_group(pathlib.Path(f"/proc/{pid}/stat"))[0] in "ZX"


def group_lives(group: int) -> bool:
    """Returns whether a process of a group is more than a zombie."""
    return any(
        found == group and state not in "ZX"
        for state, found in map(
            _state_and_group, pathlib.Path("/proc").glob("[0-9]*/stat")
        )
    )


def _state_and_group(path: pathlib.Path) -> tuple[str, int]:
    """Returns a process's state, as `ps` has it, and its group."""
    try:
        stat = path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "X", 0
    # The name before may hold anything but a newline.
    state, _, group = stat.rpartition(")")[2].split()[:3]
    return state, int(group)
