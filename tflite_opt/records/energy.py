# SPDX-License-Identifier: Apache-2.0
"""What energy an inference takes, as a device itself tells it."""

import dataclasses
from typing import Literal

from tflite_opt.records import serialization

Source = Literal["battery gauge", "RAPL"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnergyEstimate(serialization.Record):
    """An estimate: what is read is of the whole device, not of one process.

    Attributes:
        energy_mj: Of one inference, what the idle device takes
            subtracted; not positive where the two cannot be told apart.
        power_mw: Mean while the model runs, idle included.
        idle_power_mw: Mean before.
        duration_s: How long the model ran.
        num_samples: Readings while it ran.
        current_unit: What a phone's current is taken to be in: makers differ,
            and the file does not say; "" of a processor.
        source: A phone's battery gauge, slow and coarse, or the counters of
            the processor packages (RAPL).
    """

    energy_mj: float
    power_mw: float
    idle_power_mw: float
    duration_s: float
    num_samples: int
    current_unit: str
    source: Source = "battery gauge"
