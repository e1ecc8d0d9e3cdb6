# SPDX-License-Identifier: Apache-2.0
"""Questions to the real adb server."""

import time

import pytest

from android_bench import connected, errors, server


def _wait_for_state(asked, state):
    deadline = time.monotonic() + 10
    while [x.state for x in asked.devices()] != [state]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_devices_come_with_their_model(phones):
    found = {x.serial: x for x in phones.server.devices()}
    for emulated, model in zip(
        phones.phones, ("Pixel_like", "Galaxy_like"), strict=True
    ):
        assert found[emulated.serial] == connected.ConnectedDevice(
            serial=emulated.serial, state="device", model=model
        )


def test_features_are_those_both_sides_have(make_phones):
    made = make_phones(1)
    assert {"shell_v2", "stat_v2"} <= made.server.features(made[0].serial)


def test_a_phone_that_knows_no_key_is_unauthorized(make_phones):
    made = make_phones(1)
    asked, serial = made.server, made[0].serial
    made[0].faults.unauthorized()
    asked.disconnect_network_device(serial)
    with pytest.raises(errors.DeviceNotReadyError, match="must answer and let"):
        asked.connect_network_device(serial)
    _wait_for_state(asked, "unauthorized")
    with pytest.raises(
        errors.DeviceNotReadyError, match="already connected, but unauthorized"
    ):
        asked.connect_network_device(serial)
    with pytest.raises(
        errors.DeviceNotReadyError, match="which is unauthorized. Unlock"
    ):
        server.choose(asked, [], all_devices=False)


def test_a_phone_that_is_connected_already_may_be_asked_for_again(make_phones):
    made = make_phones(1)
    made.server.connect_network_device(made[0].serial)
    made.server.wait_for(made[0].serial, timeout_s=0)


def test_a_phone_that_is_switched_off_is_offline(make_phones):
    made = make_phones(1)
    made[0].faults.drop(away_s=60)
    _wait_for_state(made.server, "offline")
    with pytest.raises(
        errors.DeviceNotReadyError, match="which is offline. Plug it in again"
    ):
        made.device()


def test_a_phone_that_comes_back_is_waited_for(make_phones):
    made = make_phones(1)
    made[0].faults.drop(away_s=0.5)
    _wait_for_state(made.server, "offline")
    made.server.wait_for(made[0].serial, timeout_s=10)
    _wait_for_state(made.server, "device")


def test_what_is_not_there_cannot_be_connected_to(adb):
    with pytest.raises(errors.DeviceNotReadyError, match="127.0.0.1:1"):
        adb.connect().connect_network_device("127.0.0.1:1")
    adb.connect().disconnect_network_device("127.0.0.1:1")


def test_a_refused_request_keeps_the_reason(adb):
    with pytest.raises(errors.RefusedError) as found:
        adb.connect().ask("host:nonsense")
    assert "host:nonsense" in str(found.value)
    assert "unknown host service" in found.value.reason
