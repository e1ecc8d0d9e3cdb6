# SPDX-License-Identifier: Apache-2.0
import pytest

from android_bench import errors, settings, workspace
from tests.android_bench import measuring
from tflite_opt.records import artifact

_ALL_SETTINGS = settings.Settings(
    stay_awake=True, fixed_performance=True, airplane_mode=True
)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "a.tflite"
    path.write_bytes(b"some model")
    return artifact.describe(path, format="tflite")


def test_what_is_kept_is_not_pushed_again(phone, model, caplog):
    emulated, device = phone
    with caplog.at_level("INFO"):
        with workspace.Workspace(device, keep=True) as space:
            place = space.put_model(model)
        assert "pushing a.tflite" in caplog.text
        assert emulated.host_path(place).read_bytes() == b"some model"
        caplog.clear()
        with workspace.Workspace(device) as space:
            assert space.put_model(model) == place
    assert "pushing" not in caplog.text
    measuring.assert_clean(emulated)


def test_a_stale_file_of_the_same_size_is_pushed_again(phone, model):
    emulated, device = phone
    with workspace.Workspace(device, keep=True) as space:
        place = emulated.host_path(space.put_model(model))
    place.write_bytes(b"same model")
    with workspace.Workspace(device) as space:
        space.put_model(model)
        assert place.read_bytes() == b"some model"


def test_a_file_that_changed_here_is_refused(phone, model):
    emulated, device = phone
    model.path.write_bytes(b"other")
    with (
        workspace.Workspace(device) as space,
        pytest.raises(errors.TransferError, match="must stay as it is"),
    ):
        space.put_model(model)
    measuring.assert_clean(emulated)


def test_settings_are_changed_meanwhile_and_put_back(phone):
    emulated, device = phone
    with workspace.Workspace(device) as space:
        _ALL_SETTINGS.apply(device, space)
        assert emulated.has_fixed_performance()
        changed = emulated.settings()
        assert changed["stay_on_while_plugged_in"] == "7"
        assert changed["airplane_mode_on"] == "1"
    measuring.assert_clean(emulated)


def test_what_a_killed_run_left_is_undone_by_the_next(phone, model):
    emulated, device = phone
    killed = workspace.Workspace(device)
    killed.__enter__()
    _ALL_SETTINGS.apply(device, killed)
    assert emulated.settings()["airplane_mode_on"] == "1"
    with workspace.Workspace(device):
        assert emulated.settings() == measuring.SETTINGS_BEFORE
        assert not emulated.host_path(killed.scratch).exists()
    measuring.assert_clean(emulated)


def test_an_error_inside_cleans_up(phone, model):
    emulated, device = phone
    with pytest.raises(KeyError):
        _fail_inside(device, model)
    measuring.assert_clean(emulated)


def _fail_inside(device, model):
    with workspace.Workspace(device) as space:
        space.put_model(model)
        _ALL_SETTINGS.apply(device, space)
        raise KeyError


def test_a_phone_that_goes_away_at_the_end_is_waited_for(phone, model):
    emulated, device = phone
    with workspace.Workspace(device) as space:
        space.put_model(model)
        emulated.faults.drop_during("rm -rf", away_s=0.5)
    measuring.assert_clean(emulated)


def test_a_full_disk_is_one_error_and_leaves_nothing(phone, model):
    emulated, device = phone
    emulated.faults.disk_full()
    message = "Cannot write .*No space left on device. Free space"
    with (
        pytest.raises(errors.TransferError, match=message),
        workspace.Workspace(device) as space,
    ):
        space.put_model(model)
    measuring.assert_clean(emulated)


def test_airplane_mode_over_wifi_is_refused(phone):
    emulated, device = phone
    over_wifi = settings.Settings(airplane_mode=True)
    device.serial, serial = "192.168.0.7:5555", device.serial
    with pytest.raises(errors.DeviceError, match="must be used over USB"):
        over_wifi.apply(device, None)
    device.serial = serial
    measuring.assert_clean(emulated)
