# SPDX-License-Identifier: Apache-2.0
import pytest

from android_bench import energy
from tests.android_bench import measuring
from tflite_opt.report import benchmark_text


@pytest.mark.parametrize(
    ("current", "is_in_ma"),
    [(-350_000, False), (350, True), (-19_999, True), (20_000, False)],
)
def test_units_and_signs_of_makers_give_the_same_power(current, is_in_ma):
    readings = [(current, 4_000_000)] * 3
    assert energy._is_in_ma(readings) == is_in_ma
    milliamperes = abs(current) / (1 if is_in_ma else 1e3)
    assert energy._power_mw(readings) == pytest.approx(4 * milliamperes)


def test_energy_is_estimated_on_battery(phone, tmp_path):
    emulated, device = phone
    emulated.change(is_powered=False, is_charging=False)
    runner = measuring.runner_for(device, tmp_path, energy_s=3.0)
    models = measuring.models(tmp_path, "a")
    options = measuring.quick(launches=1)
    (result,) = runner.run(models, options, tmp_path / "out")
    found = result.energy
    assert found.idle_power_mw > 100
    assert found.num_samples >= 1
    assert found.current_unit == "uA"
    assert found.power_mw > found.idle_power_mw
    assert found.energy_mj > 0
    assert "mJ an inference, an estimate" in benchmark_text.table([result])
    measuring.assert_clean(emulated)


def test_a_powered_phone_has_no_estimate(phone, tmp_path, caplog):
    emulated, device = phone
    emulated.change(is_powered=True)
    runner = measuring.runner_for(device, tmp_path, energy_s=1.0)
    models = measuring.models(tmp_path, "a")
    options = measuring.quick(launches=1)
    (result,) = runner.run(models, options, tmp_path / "out")
    assert result.energy is None
    assert "Energy must be measured on battery" in caplog.text
