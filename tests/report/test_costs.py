# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests import factories
from tflite_opt.records import energy, errors, report
from tflite_opt.report import costs

_ENERGY = energy.EnergyEstimate(
    energy_mj=7.2,
    power_mw=2000.0,
    idle_power_mw=500.0,
    duration_s=1.0,
    num_samples=4,
    current_unit="mA",
)


def _result(cpu_ms=3.6, **fields):
    launches = (factories.launch(cpu_ms=cpu_ms),)
    return factories.result(factories.tflite(), launches=launches, **fields)


def test_a_million_inferences_cost_what_was_measured():
    prices = report.Prices(price_per_cpu_hour=0.05, grid_gco2_per_kwh=400)
    (cost,) = costs.costs([_result(energy=_ENERGY)], prices)
    assert cost.cpu_hours == pytest.approx(1.0)
    assert cost.energy_kwh == pytest.approx(0.002)
    assert cost.energy_source == "battery gauge"
    assert cost.price == pytest.approx(0.05)
    assert cost.co2_g == pytest.approx(0.8)


def test_nothing_is_assumed():
    (cost,) = costs.costs([_result()], report.Prices())
    assert cost.energy_kwh is cost.price is cost.co2_g is None
    assert costs.cells(cost)[2:] == ("1", "-", "not measured", "-", "-")
    assert costs.costs([_result(cpu_ms=None)], report.Prices()) == ()
    assert costs.markdown([]) == []


def test_energy_that_drowns_in_the_idle_machine_is_not_known():
    drowned = energy.EnergyEstimate(**vars(_ENERGY) | {"energy_mj": -1.0})
    (cost,) = costs.costs([_result(energy=drowned)], report.Prices())
    assert cost.energy_kwh is None
    assert cost.energy_source == ""


@pytest.mark.parametrize("name", ["price_per_cpu_hour", "grid_gco2_per_kwh"])
def test_rejects_negative_prices(name):
    message = f"`{name}` must not be negative. Received: {name}=-1.0"
    with pytest.raises(errors.InputError, match=re.escape(message)):
        report.Prices(**{name: -1.0})
