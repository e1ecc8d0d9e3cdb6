# SPDX-License-Identifier: Apache-2.0
import dataclasses
import re

import pytest

from android_bench import errors, readiness
from tflite_opt.records import android
from tflite_opt.records import errors as record_errors

_FIT = android.DeviceState(
    taken_at="2026-01-01T00:00:00+00:00",
    online_cpus=(0, 1),
    frequencies=(
        android.CpuFrequency(cpus=(0, 1), cap_mhz=2000.0, max_mhz=2000.0),
    ),
    thermal_status=0,
    temperatures=(
        android.Temperature(name="SKIN", kind="skin", celsius=31.0, status=0),
        android.Temperature(name="CPU", kind="cpu", celsius=60.0, status=0),
    ),
    battery_fraction=0.8,
    battery_celsius=30.0,
    is_charging=False,
    is_powered=True,
    is_power_saving=False,
    is_awake=True,
    uptime_s=100.0,
)
_UNKNOWN = android.DeviceState(taken_at="2026-01-01T00:00:00+00:00")
_CAPPED = (android.CpuFrequency(cpus=(0, 1), cap_mhz=1400.0, max_mhz=2000.0),)


def _but(**fields):
    return dataclasses.replace(_FIT, **fields)


def test_nothing_is_said_of_a_phone_that_is_fit():
    assert readiness.obstacles(_FIT) == ()
    assert readiness.cautions(_FIT) == ()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"battery_fraction": 0.1},
            "The battery is at 10%, below 20%; charge it.",
        ),
        (
            {"battery_celsius": 41.5},
            "The battery has 41.5 °C, above 40 °C; let it cool.",
        ),
        ({"is_power_saving": True}, "Battery saver is on; turn it off."),
        (
            {"is_awake": False},
            "The screen is off, which slows the CPUs; wake it.",
        ),
        (
            {"thermal_status": 2},
            "It is throttled, thermal status 2 (moderate); let it cool.",
        ),
        (
            {"frequencies": _CAPPED},
            "CPU 0, 1 may only run at 1400 of 2000 MHz; let it cool, and "
            "leave power saving.",
        ),
    ],
    ids=lambda x: "-".join(x) if isinstance(x, dict) else "",
)
def test_each_obstacle_is_told_with_its_way_out(fields, sentence):
    assert readiness.obstacles(_but(**fields)) == (sentence,)


def test_what_is_hidden_is_a_caution_and_no_obstacle():
    assert readiness.obstacles(_UNKNOWN) == ()
    assert readiness.cautions(_UNKNOWN) == (
        "The device hides its thermal status.",
        "The device hides the clocks of its CPUs.",
    )
    assert readiness.cautions(_but(is_charging=True)) == (
        "The battery is being charged, which heats the device.",
    )


def test_limits_can_be_moved():
    limits = readiness.Limits(min_battery_fraction=0.9)
    assert "below 90%" in readiness.obstacles(_FIT, limits)[0]


@pytest.mark.parametrize(
    ("fields", "gate", "reason"),
    [
        ({}, {}, None),
        ({"thermal_status": 1}, {}, "thermal status 1 (light)"),
        ({"thermal_status": 1}, {"max_status": 1}, None),
        ({"thermal_status": None}, {}, None),
        ({}, {"max_celsius": 30.0}, "31.0 °C"),
        ({}, {"max_celsius": 32.0}, None),
        ({"temperatures": ()}, {"max_celsius": 29.0}, "30.0 °C"),
        (
            {"temperatures": (), "battery_celsius": None},
            {"max_celsius": 29.0},
            None,
        ),
    ],
    ids=str,
)
def test_the_gate_looks_at_status_and_skin(fields, gate, reason):
    found = readiness.heat(_but(**fields), readiness.ThermalGate(**gate))
    assert found == reason


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"max_status": 7},
            "`max_status` must be between 0 and 6. Received: max_status=7",
        ),
        (
            {"timeout_s": 0.0},
            "`timeout_s` must be positive. Received: timeout_s=0.0",
        ),
        (
            {"poll_s": -1.0},
            "`poll_s` must be positive. Received: poll_s=-1.0",
        ),
    ],
)
def test_a_gate_that_cannot_be_is_refused(fields, message):
    with pytest.raises(record_errors.InputError, match=re.escape(message)):
        readiness.ThermalGate(**fields)


@pytest.mark.parametrize(
    ("fields", "phrase"),
    [
        (
            {"thermal_status": 1},
            "thermal status went from 0 (none) to 1 (light)",
        ),
        (
            {"frequencies": _CAPPED},
            "the cap of CPU 0, 1 went from 2000 to 1400 MHz",
        ),
        ({"online_cpus": (0,)}, "CPUs were switched on or off"),
        ({"uptime_s": 5.0}, "the device was booted"),
    ],
    ids=lambda x: "-".join(x) if isinstance(x, dict) else "",
)
def test_each_disturbance_of_a_launch_is_told(fields, phrase):
    assert readiness.disturbances(_FIT, _but(**fields)) == (phrase,)


def test_a_launch_without_change_is_not_disturbed():
    assert readiness.disturbances(_FIT, _but(uptime_s=101.0)) == ()
    assert readiness.disturbances(_UNKNOWN, _UNKNOWN) == ()


def test_a_hot_phone_is_waited_for_until_it_is_cool(phone):
    emulated, device = phone
    emulated.warm_up(44.0)
    waits = []

    def sleep(duration_s):
        waits.append(duration_s)
        emulated.warm_up(44.0 - 4 * len(waits))

    gate = readiness.ThermalGate(poll_s=3.0)
    found = readiness.wait_until_cool(device, gate, sleep=sleep)
    assert found.thermal_status == 0
    assert waits == [3.0, 3.0]


def test_a_phone_that_stays_hot_ends_the_wait(phone):
    emulated, device = phone
    emulated.warm_up(44.0)
    gate = readiness.ThermalGate(timeout_s=0.2, poll_s=0.1)
    with pytest.raises(errors.DeviceTimeoutError) as found:
        readiness.wait_until_cool(device, gate)
    assert str(found.value) == (
        f"{device.serial} must be cool to be measured. Received: thermal "
        "status 2 (moderate) after 0.2 s. Take it out of its case and off the "
        "charger, or allow more."
    )
