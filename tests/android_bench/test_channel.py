# SPDX-License-Identifier: Apache-2.0
import pytest

from android_bench import channel, connection, errors, host_services


class _Services(host_services.HostServices):
    """A server whose devices are old."""

    def features(self, serial):
        return frozenset(["cmd", "stat_v2"])


@pytest.fixture
def address(adb):
    return connection.Address(host="127.0.0.1", port=adb.port)


def test_a_device_without_exit_codes_is_too_old(address):
    asked = channel.Channel(_Services(address), "S1")
    with pytest.raises(errors.DeviceNotReadyError) as found:
        asked.require_shell()
    assert str(found.value) == (
        "A device must run Android 7 or newer, whose shell tells exit codes. "
        "Received: serial='S1'"
    )


def test_a_device_that_is_gone_is_a_lost_one(address):
    asked = channel.Channel(host_services.HostServices(address), "S1")
    with pytest.raises(errors.DeviceLostError, match="'S1' not found"):
        asked.require_shell()
    with (
        pytest.raises(errors.DeviceLostError, match="S1 went away"),
        asked.open("sync:", 5.0),
    ):
        pass


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("device unauthorized.\nThis adb server's ...", "DeviceNotReadyError"),
        ("device still authorizing", "DeviceNotReadyError"),
        ("device offline", "DeviceLostError"),
        ("closed", "DeviceLostError"),
        ("unknown host service", "RefusedError"),
    ],
)
def test_reasons_of_a_server_become_errors(address, reason, kind, monkeypatch):
    def refuse(self, service):
        raise errors.RefusedError(service, reason)

    monkeypatch.setattr(connection.Connection, "request", refuse)
    asked = channel.Channel(host_services.HostServices(address), "S1")
    with (
        pytest.raises(errors.DeviceError) as found,
        asked.open("sync:", 5.0),
    ):
        pass
    assert type(found.value).__name__ == kind
