# SPDX-License-Identifier: Apache-2.0
"""How an emulated phone gets warm and slows itself down."""

import dataclasses
import math

# Skin temperatures from which on a status holds, and what is left of the
# clocks then.
_STEPS = ((39.0, 1, 0.9), (43.0, 2, 0.7), (47.0, 3, 0.5), (52.0, 4, 0.35))


@dataclasses.dataclass(kw_only=True)
class Climate:
    """Temperature of the skin over time.

    Attributes:
        ambient_celsius: Where it cools to.
        celsius: Now.
        heating_celsius_per_s: Of one program that computes. A real phone has
            less than 0.1.
        cooling_s: Time in which the excess falls to a third.
    """

    ambient_celsius: float = 27.0
    celsius: float = 29.0
    heating_celsius_per_s: float = 0.02
    cooling_s: float = 60.0

    def advance(self, duration_s: float, num_computing: int) -> None:
        """Lets time pass."""
        excess = self.celsius - self.ambient_celsius
        excess *= math.exp(-duration_s / self.cooling_s)
        excess += self.heating_celsius_per_s * num_computing * duration_s
        self.celsius = self.ambient_celsius + excess

    @property
    def status(self) -> int:
        """Thermal status, from 0 to 4."""
        return max(
            (x for limit, x, _ in _STEPS if self.celsius >= limit), default=0
        )

    def clock_fraction(self, status: int) -> float:
        """Returns what is left of the clocks at a status."""
        return min((left for _, x, left in _STEPS if x <= status), default=1.0)

    def reading(self, gain: float) -> float:
        """Returns what a sensor with this gain shows."""
        return self.ambient_celsius + gain * (
            self.celsius - self.ambient_celsius
        )
