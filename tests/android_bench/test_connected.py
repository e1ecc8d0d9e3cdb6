# SPDX-License-Identifier: Apache-2.0
import pytest

from android_bench import connected

# Columns as adb pads them.
_LISTED = """\
0a388e93               device usb:1-1 product:razor model:Nexus_7 \
device:flo transport_id:1
127.0.0.1:16001        offline transport_id:2
emulator-5554          unauthorized transport_id:3
????????????           no permissions (missing udev rules? user is in the \
plugdev group); see [http://developer.android.com/tools/device.html] \
usb:1-2 transport_id:4
(no serial number)     recovery transport_id:5
"""


def test_all_states_of_devices_are_read():
    found = connected.parse(_LISTED)
    assert [(x.serial, x.state, x.model) for x in found] == [
        ("0a388e93", "device", "Nexus_7"),
        ("127.0.0.1:16001", "offline", None),
        ("emulator-5554", "unauthorized", None),
        ("????????????", "no permissions", None),
        ("(no serial number)", "recovery", None),
    ]
    assert [x.is_ready for x in found] == [True, False, False, False, False]


def test_no_device_is_no_line():
    assert connected.parse("\n") == []


@pytest.mark.parametrize(
    ("state", "way_out"),
    [
        ("unauthorized", "Unlock the device and allow this computer's key"),
        ("authorizing", "Unlock the device"),
        ("offline", "Plug it in again, or run `adb reconnect offline`"),
        ("no permissions", "Add udev rules"),
        ("recovery", "Boot it into Android with `adb reboot`."),
    ],
)
def test_each_state_has_its_way_out(state, way_out):
    message = str(connected.not_ready_error("S1", state))
    assert f"Received: serial='S1', which is {state}. " in message
    assert way_out in message


def test_a_missing_device_is_told_with_those_there_are():
    devices = connected.parse(_LISTED)[:2]
    assert str(connected.missing_error("S1", devices)) == (
        "`serial` must name a connected device. Received: serial='S1'. "
        "Connected: 0a388e93 (Nexus_7), 127.0.0.1:16001 (offline). "
        "Run `adb devices`."
    )
    assert "Connected: none." in str(connected.missing_error("S1", []))
