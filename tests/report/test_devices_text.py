# SPDX-License-Identifier: Apache-2.0
from tests import factories
from tflite_opt.records import android
from tflite_opt.report import devices_text

_DEVICE = android.AndroidDevice(
    device_key="k",
    manufacturer="Google",
    model="Pixel 7",
    device="panther",
    soc="Google GS201",
    abis=("arm64-v8a",),
    android_version="15",
    sdk=35,
    fingerprint=None,
    clusters=(
        android.CpuCluster(name="little", cpus=(0, 1, 2, 3), max_mhz=1803.0),
        android.CpuCluster(name="prime", cpus=(7,)),
    ),
    num_cpus=8,
    memory_bytes=None,
    is_rooted=False,
    is_emulator=False,
)


def test_each_device_is_a_line_with_its_verdict():
    state = android.DeviceState(
        taken_at="", battery_fraction=0.8, is_charging=True, thermal_status=0
    )
    text = devices_text.devices(
        [
            devices_text.device_row("A1", _DEVICE, state, ()),
            devices_text.device_row("A2", _DEVICE, state, ("Too hot.",)),
            devices_text.unusable_row("A3", "Unlock it."),
        ]
    )
    first, second, third = text.splitlines()[2:]
    assert "Google Pixel 7 (Google GS201)" in first
    assert "4 little at 1803 MHz, 1 prime" in first
    assert "80%, charging" in first
    assert first.endswith("yes")
    assert second.endswith("Too hot.")
    assert third.split()[:2] == ["A3", "-"]
    assert third.endswith("Unlock it.")


def test_models_are_lines_and_devices_are_columns():
    def result(name, key, median_ms):
        device = factories.device(device_key=key, model=f"phone {key}")
        item = factories.tflite(name)
        return factories.result(item, median_ms, device=device)

    text = devices_text.latencies(
        [result("int8", "a", 1.5), result("float32", "a", 3.0),
         result("int8", "b", 2.5)]
    )  # fmt: skip
    header, _, first, second = text.splitlines()
    assert header.split() == ["median", "ms", "phone", "a", "phone", "b"]
    assert first.split() == ["int8", "1.5", "2.5"]
    assert second.split() == ["float32", "3", "-"]
