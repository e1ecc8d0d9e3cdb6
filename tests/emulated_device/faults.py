# SPDX-License-Identifier: Apache-2.0
"""What may go wrong with an emulated phone, on demand."""

from __future__ import annotations

import errno
import fnmatch
import json
import threading
import time
from typing import TYPE_CHECKING, BinaryIO, Literal

if TYPE_CHECKING:
    from tests.emulated_device import phone as phone_module

ToolFault = Literal[
    "hang",
    "crash",
    "fail",
    "silence",
    "contradiction",
    "ignored_flag",
    "old_form",
]


class Faults:
    """Faults of one phone; each works at once, until `clear`.

    Args:
        phone: The phone.
    """

    def __init__(self, phone: phone_module.Phone) -> None:
        self._phone = phone
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self.is_trusted = True
        self.survives_hangup = False
        self._is_frozen = False
        self._drops: list[tuple[str, float, float]] = []
        self._push_bytes_per_s: float | None = None
        self._bytes_to_break: int | None = None
        self._bytes_to_corrupt: int | None = None
        self._free_bytes: int | None = None
        self._denied: list[str] = []

    def clear(self) -> None:
        """Ends all faults. Files that were hidden stay hidden."""
        self._reset()
        self.tool(None)

    def unauthorized(self) -> None:
        """Forgets the host's key: the phone asks its user, who is away."""
        self.is_trusted = False
        self._phone.disconnect()

    def authorize(self) -> None:
        """Lets the host in from the next connection on."""
        self.is_trusted = True
        self._phone.disconnect()

    def drop(self, away_s: float = 0.0) -> None:
        """Pulls the cable, and plugs it in again after `away_s`.

        What runs goes on, as far as it does not need the host.
        """
        self._phone.go_away(away_s)

    def drop_during(
        self, text: str, *, after_s: float = 0.0, away_s: float = 0.0
    ) -> None:
        """Pulls the cable while a command runs that contains `text`, once.

        Args:
            text: Of the command.
            after_s: How long it has run by then.
            away_s: Until the cable is plugged in again.
        """
        self._drops.append((text, after_s, away_s))

    def freeze(self) -> None:
        """Answers nothing any more, as a phone whose system hangs."""
        self._is_frozen = True

    def thaw(self) -> None:
        """Answers again."""
        self._is_frozen = False

    def reboot(self, away_s: float = 0.5) -> None:
        """Ends all processes and goes away for `away_s`."""
        self._phone.reboot(away_s)

    def slow_push(self, bytes_per_s: float) -> None:
        """Takes data at this speed only."""
        self._push_bytes_per_s = bytes_per_s

    def break_push(self, after_bytes: int) -> None:
        """Pulls the cable in the middle of a push, once."""
        self._bytes_to_break = after_bytes

    def corrupt_push(self, at_byte: int = 0) -> None:
        """Changes one byte of the next push."""
        self._bytes_to_corrupt = at_byte

    def disk_full(self, free_bytes: int = 0) -> None:
        """Has no room for more than `free_bytes`."""
        self._free_bytes = free_bytes

    def deny_push(self, pattern: str = "*") -> None:
        """Does not let files be made whose path matches `pattern`."""
        self._denied.append(pattern)

    def hide(self, pattern: str) -> None:
        """Denies files of /sys and /proc, as `sys/class/thermal/*/temp`."""
        self._phone.hide(pattern)

    def throttle(self, celsius: float = 44.0) -> None:
        """Makes the phone hot; it cools as its `climate` says."""
        self._phone.warm_up(celsius)

    def tool(self, fault: ToolFault | None, *, times: int = 1) -> None:
        """Lets the next launches of `benchmark_model` go wrong.

        Args:
            fault: `hang`: never ends. `crash`: ends with SIGABRT. `fail`: exit
                code 1 with an error. `silence`: ends well without a word.
                `contradiction`: its text differs from its result file.
                `ignored_flag`: does not know `--max_secs`. `old_form`: has no
                percentiles.
            times: How many launches.
        """
        path = self._phone.state_dir / "tool_faults"
        path.write_text(json.dumps([fault] * times if fault else []))

    def pace(self, kind: str, content: bytes) -> None:
        """Delays or breaks the transport when a packet arrives."""
        while self._is_frozen and self._phone.is_running:
            time.sleep(0.02)
        if kind != "WRTE":
            return
        if self._push_bytes_per_s:
            time.sleep(len(content) / self._push_bytes_per_s)
        if self._bytes_to_break is not None:
            self._bytes_to_break -= len(content)
            if self._bytes_to_break < 0:
                self._bytes_to_break = None
                raise EOFError

    def watch(self, command: str) -> None:
        """Pulls the cable if it was asked for with this command."""
        for wanted in list(self._drops):
            text, after_s, away_s = wanted
            if text in command:
                self._drops.remove(wanted)
                timer = threading.Timer(after_s, self.drop, [away_s])
                timer.daemon = True
                timer.start()

    def check_create(self, path: str) -> None:
        """Raises PermissionError for a denied path."""
        if any(fnmatch.fnmatch(path, pattern) for pattern in self._denied):
            raise PermissionError(errno.EACCES, "")

    def write(self, file: BinaryIO, chunk: bytes) -> None:
        """Writes to the disk, as long as there is room."""
        with self._lock:
            if self._free_bytes is not None:
                self._free_bytes -= len(chunk)
                if self._free_bytes < 0:
                    self._free_bytes = 0
                    raise OSError(errno.ENOSPC, "")
            at = self._bytes_to_corrupt
            if at is not None and at < len(chunk):
                self._bytes_to_corrupt = None
                chunk = chunk[:at] + bytes([chunk[at] ^ 1]) + chunk[at + 1 :]
            elif at is not None:
                self._bytes_to_corrupt = at - len(chunk)
        file.write(chunk)
