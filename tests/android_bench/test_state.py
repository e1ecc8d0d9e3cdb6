# SPDX-License-Identifier: Apache-2.0
import pytest

from android_bench import state
from tflite_opt.records import android


def test_the_state_of_a_phone_is_read(phone):
    emulated, device = phone
    emulated.change(battery_percent=64, battery_celsius=31.5, is_locked=True)
    found = state.read(device)
    assert found.battery_fraction == 0.64
    assert found.battery_celsius == pytest.approx(31.5)
    assert (found.is_charging, found.is_powered) == (False, True)
    assert (found.is_awake, found.is_locked) == (True, True)
    assert found.is_power_saving is False
    assert found.online_cpus == tuple(range(9))
    assert found.thermal_status == 0
    assert found.available_memory_bytes == 3_900_000 * 1024
    assert found.uptime_s >= 0
    assert (found.battery_current_ua, found.battery_voltage_uv) == (
        -150_000,
        4_200_000,
    )
    assert android.DeviceState.from_json(found.to_json()) == found


def test_only_current_temperatures_count(phone):
    emulated, device = phone
    emulated.warm_up(33.0)
    found = state.read(device)
    skin = found.hottest("skin")
    assert skin.celsius == pytest.approx(33.0, abs=0.2)
    # Neither the cached 61.5 °C nor volts, percent and unknown sensors.
    assert max(x.celsius for x in found.temperatures) < 45
    assert {x.kind for x in found.temperatures} == {
        "skin",
        "cpu",
        "gpu",
        "npu",
        "battery",
        "usb_port",
    }
    assert found.hottest("display") is None


def test_a_hot_phone_is_throttled(phone):
    emulated, device = phone
    emulated.warm_up(44.0)
    found = state.read(device)
    assert found.thermal_status == 2
    assert {round(x.cap_mhz / x.max_mhz, 2) for x in found.frequencies} == {0.7}


def test_zones_stand_in_for_a_missing_thermal_hal(phone):
    emulated, device = phone
    emulated.change(has_thermal_hal=False)
    found = state.read(device)
    assert {x.name for x in found.temperatures} == {
        "BIG",
        "MID",
        "LITTLE",
        "G3D",
    }
    assert {(x.kind, x.status) for x in found.temperatures} == {("zone", None)}


def test_offline_cpus_are_seen(phone):
    emulated, device = phone
    emulated.change(offline_cpus=(5, 8))
    assert state.read(device).online_cpus == (0, 1, 2, 3, 4, 6, 7)


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ({"is_awake": False}, "is_awake", False),
        ({"is_charging": True}, "is_charging", True),
        ({"is_powered": False}, "is_powered", False),
    ],
    ids=str,
)
def test_what_the_user_changes_is_seen(phone, change, name, value):
    emulated, device = phone
    emulated.change(**change)
    assert getattr(state.read(device), name) == value


def test_power_saving_is_seen(phone):
    _, device = phone
    device.shell(["settings", "put", "global", "low_power", "1"])
    assert state.read(device).is_power_saving
    device.shell(["settings", "delete", "global", "low_power"])
    assert state.read(device).is_power_saving is False


def test_a_phone_that_hides_everything_is_no_error(phone):
    emulated, device = phone
    for pattern in ("sys/**/*", "proc/*"):
        emulated.faults.hide(pattern)
    emulated.remove_programs("dumpsys", "settings")
    found = state.read(device)
    assert found == android.DeviceState(taken_at=found.taken_at)
