# SPDX-License-Identifier: Apache-2.0
"""The flags that say what inferences cost."""

from absl import flags

from tflite_opt.records import report

_PRICE_PER_CPU_HOUR = flags.DEFINE_float(
    "price_per_cpu_hour",
    None,
    "Money for an hour of one processor, in any currency: the report says what "
    "a million inferences cost.",
)
_GRID_GCO2_PER_KWH = flags.DEFINE_float(
    "grid_gco2_per_kwh",
    None,
    "Grams of CO2 for a kilowatt-hour where the model will run: the report "
    "says what a million inferences emit, if energy was measured.",
)


def prices() -> report.Prices:
    """Returns what the flags say.

    Raises:
        InputError: If a price is negative.
    """
    return report.Prices(
        price_per_cpu_hour=_PRICE_PER_CPU_HOUR.value,
        grid_gco2_per_kwh=_GRID_GCO2_PER_KWH.value,
    )
