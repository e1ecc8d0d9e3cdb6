# SPDX-License-Identifier: Apache-2.0
"""The state of a machine around a launch, as far as its kernel shows it."""

import dataclasses

from tflite_opt.records import serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class MachineState(serialization.Record):
    """What could make two launches differ that measure the same thing.

    Attributes:
        cpus: Numbers of the CPUs the process may use; empty if not known.
        mhz_before: Mean clock of those CPUs before the model is loaded; None
            where the kernel hides it.
        mhz_after: The same after the last inference.
        load_before: Processes that ran or waited for a CPU in the minute
            before; None where the kernel hides it.
        load_after: The same after the last inference.
        steal_fraction: Share of those CPUs' time that a hypervisor gave to
            others; None where the kernel hides it.
    """

    cpus: tuple[int, ...] = ()
    mhz_before: float | None = None
    mhz_after: float | None = None
    load_before: float | None = None
    load_after: float | None = None
    steal_fraction: float | None = None
