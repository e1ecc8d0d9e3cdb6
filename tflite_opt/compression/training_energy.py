# SPDX-License-Identifier: Apache-2.0
"""The energy that a training takes, where codecarbon is installed to tell.

Codecarbon reads the counters of processors and GPUs, and estimates from the
load what it cannot read.
"""

import importlib.util
from typing import Any


class Meter:
    """Measures from its construction until `stop`."""

    def __init__(self) -> None:
        self._tracker: Any = None
        if importlib.util.find_spec("codecarbon") is None:
            return
        import codecarbon

        self._tracker = codecarbon.OfflineEmissionsTracker(
            # Asked for, but only its emissions depend on the country.
            country_iso_code="USA",
            tracking_mode="process",
            output_methods=[],
            log_level="error",
        )
        self._tracker.start()

    def stop(self) -> float | None:
        """Returns kilowatt-hours; None if there is nothing that tells."""
        if self._tracker is None or self._tracker.stop() is None:
            return None
        return float(self._tracker.final_emissions_data.energy_consumed)
