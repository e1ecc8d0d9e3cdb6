# SPDX-License-Identifier: Apache-2.0
import pytest

from android_bench import description
from tflite_opt.records import android


def test_a_pixel_like_phone_is_described(phones):
    found = description.describe(phones.device(0))
    assert (found.manufacturer, found.model) == ("Google", "Pixel-like")
    assert (found.soc, found.sdk, found.android_version) == (
        "Google Tensor G3",
        35,
        "15",
    )
    assert found.abis == ("arm64-v8a", "armeabi-v7a", "armeabi")
    assert found.num_cpus == 9
    assert found.memory_bytes == 7_800_000 * 1024
    assert {x.name: x.cpus for x in found.clusters} == {
        "little": (0, 1, 2, 3),
        "big": (4, 5, 6, 7),
        "prime": (8,),
    }
    assert (found.is_rooted, found.is_emulator) == (False, True)


def test_a_galaxy_like_phone_hides_capacities(phones):
    found = description.describe(phones.device(1))
    assert [(x.name, x.max_mhz, x.capacity) for x in found.clusters] == [
        ("little", 2016.0, None),
        ("big", 2803.2, None),
        ("prime", 3360.0, None),
    ]


def test_devices_are_told_apart_without_their_serials(phones):
    keys = {description.describe(phones.device(x)).device_key for x in range(2)}
    assert len(keys) == 2
    text = str(description.describe(phones.device(0)).to_json())
    assert phones[0].serial_number not in text
    assert phones[0].serial not in text


def test_a_kernel_that_hides_everything_is_no_error(phone):
    emulated, device = phone
    for pattern in ("sys/devices/system/cpu/**/*", "proc/*"):
        emulated.faults.hide(pattern)
    found = description.describe(device)
    assert (found.clusters, found.num_cpus, found.memory_bytes) == (
        (),
        None,
        None,
    )
    assert found.model == "Pixel-like"


def test_results_tell_of_their_device(phone):
    _, device = phone
    found = description.describe(device)
    info = found.info()
    assert info.device_key == found.device_key
    assert info.model == "Google Pixel-like (Google Tensor G3)"
    assert (info.abi, info.os, info.num_cpus) == (
        "arm64-v8a",
        "Android 15",
        9,
    )
    assert info.is_emulator
    assert android.AndroidDevice.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("properties", "is_virtual"),
    [
        ({"ro.kernel.qemu": "1"}, True),
        ({"ro.hardware": "ranchu"}, True),
        ({"ro.build.characteristics": "emulator"}, True),
        ({"ro.hardware": "qcom"}, False),
    ],
    ids=str,
)
def test_emulators_are_told_from_hardware(phone, properties, is_virtual):
    emulated, device = phone
    emulated.set_properties({"ro.boot.qemu": "0", **properties})
    assert description.describe(device).is_emulator == is_virtual


def test_old_phones_tell_their_platform_only(phone):
    emulated, device = phone
    emulated.set_properties({"ro.soc.model": "", "ro.soc.manufacturer": ""})
    assert description.describe(device).soc == "zuma"
