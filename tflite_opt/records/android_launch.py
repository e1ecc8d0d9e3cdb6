# SPDX-License-Identifier: Apache-2.0
"""Launches on an Android device, with all that was seen around them."""

import dataclasses

from tflite_opt.records import android, machine, serialization, tool_output


@dataclasses.dataclass(frozen=True, kw_only=True)
class AndroidLaunch(serialization.Record):
    """One process of a tool on a device.

    Attributes:
        log: What it printed.
        before: The device just before.
        after: The device just after.
        disturbances: Why it does not count, one phrase each; empty if it does.
    """

    log: tool_output.ToolLog
    before: android.DeviceState
    after: android.DeviceState
    disturbances: tuple[str, ...] = ()

    def machine_state(self, cpus: tuple[int, ...]) -> machine.MachineState:
        """Returns what a launch on any machine tells of it.

        Args:
            cpus: That it was kept on; empty for all.
        """
        return machine.MachineState(
            cpus=cpus or self.before.online_cpus,
            mhz_before=_mean_mhz(self.before, cpus),
            mhz_after=_mean_mhz(self.after, cpus),
            load_before=self.before.load_average,
            load_after=self.after.load_average,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class AndroidAttempts(serialization.Record):
    """A launch, and those before it that were disturbed.

    Attributes:
        attempts: In order; the last one counts.
    """

    attempts: tuple[AndroidLaunch, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AndroidLogs(serialization.Record):
    """All processes behind one result.

    Attributes:
        device: Where they ran.
        binary_sha256: Of the program, or of the app's package.
        launches: Those that count, in order.
        repeated: Those that were disturbed and done again.
        memory: Of a launch of its own that watched its memory; None if there
            was none.
    """

    device: android.AndroidDevice
    binary_sha256: str
    launches: tuple[AndroidLaunch, ...]
    repeated: tuple[AndroidLaunch, ...] = ()
    memory: tool_output.ToolLog | None = None


def _mean_mhz(
    state: android.DeviceState, cpus: tuple[int, ...]
) -> float | None:
    found = [
        clock.current_mhz
        for clock in state.frequencies
        if clock.current_mhz is not None
        and (not cpus or set(cpus) & set(clock.cpus))
    ]
    return sum(found) / len(found) if found else None
