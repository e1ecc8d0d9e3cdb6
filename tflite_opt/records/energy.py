# SPDX-License-Identifier: Apache-2.0
"""What an inference takes from a battery, as a phone itself tells it."""

import dataclasses

from tflite_opt.records import serialization


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnergyEstimate(serialization.Record):
    """An estimate: a phone's gauge is slow, coarse and of the whole phone.

    Attributes:
        energy_mj: Of one inference, what the idle phone takes subtracted;
            not positive where the gauge cannot tell them apart.
        power_mw: Mean while the model runs, idle included.
        idle_power_mw: Mean before.
        duration_s: How long the model ran.
        num_samples: Readings while it ran.
        current_unit: What the phone's current is taken to be in: makers
            differ, and the file does not say.
    """

    energy_mj: float
    power_mw: float
    idle_power_mw: float
    duration_s: float
    num_samples: int
    current_unit: str
