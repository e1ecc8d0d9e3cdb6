# SPDX-License-Identifier: Apache-2.0
"""What a million inferences take: time, energy, money, CO2.

From measured figures and the user's own prices; nothing is assumed.
"""

from collections.abc import Iterable, Sequence

import tabulate

from tflite_opt.records import benchmark, report
from tflite_opt.report import benchmark_text, row_text

HEADERS = (
    "variant",
    "measured on",
    "CPU hours",
    "kWh",
    "energy by",
    "price",
    "g CO2",
)

_INFERENCES = 1e6
_MS_PER_HOUR = 3.6e6
# A watt-second is a joule.
_MJ_PER_KWH = 3.6e9


def costs(
    results: Iterable[benchmark.BenchmarkResult], prices: report.Prices
) -> tuple[report.Cost, ...]:
    """Returns the costs of all results that tell anything.

    Args:
        results: Of the variants, on all devices.
        prices: What the user pays.
    """
    found = [_cost(result, prices) for result in results]
    return tuple(
        x for x in found if x.cpu_hours is not None or x.energy_kwh is not None
    )


def cells(cost: report.Cost) -> tuple[str, ...]:
    """Returns the line of a cost, by `HEADERS`."""
    return (
        cost.name,
        cost.place,
        row_text.number(cost.cpu_hours),
        row_text.number(cost.energy_kwh),
        cost.energy_source or "not measured",
        row_text.number(cost.price),
        row_text.number(cost.co2_g),
    )


def markdown(found: Sequence[report.Cost]) -> list[str]:
    """Returns the table as Markdown lines; none without costs."""
    if not found:
        return []
    table = tabulate.tabulate(
        map(cells, found), HEADERS, tablefmt="github", disable_numparse=True
    )
    return ["## Cost of a million inferences", "", table, ""]


def _cost(
    result: benchmark.BenchmarkResult, prices: report.Prices
) -> report.Cost:
    cpu_ms, energy = result.cpu_ms, result.energy
    hours = None if cpu_ms is None else cpu_ms * _INFERENCES / _MS_PER_HOUR
    kwh = None
    # What drowns in the idle machine's power is not known.
    if energy is not None and energy.energy_mj > 0:
        kwh = energy.energy_mj * _INFERENCES / _MJ_PER_KWH
    return report.Cost(
        name=result.artifact.name,
        place=benchmark_text.place(result),
        cpu_hours=hours,
        energy_kwh=kwh,
        energy_source=energy.source if energy and kwh is not None else "",
        price=_times(hours, prices.price_per_cpu_hour),
        co2_g=_times(kwh, prices.grid_gco2_per_kwh),
    )


def _times(amount: float | None, price: float | None) -> float | None:
    return None if amount is None or price is None else amount * price
