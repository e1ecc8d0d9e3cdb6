# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from tflite_opt.records import android

_UNKNOWN = android.AndroidDevice(
    device_key="k",
    manufacturer=None,
    model=None,
    device=None,
    soc=None,
    abis=(),
    android_version=None,
    sdk=None,
    fingerprint=None,
    clusters=(),
    num_cpus=None,
    memory_bytes=None,
    is_rooted=False,
    is_emulator=False,
)


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({}, "unknown"),
        ({"model": "Pixel 8"}, "Pixel 8"),
        (
            {"manufacturer": "Google", "model": "Pixel 8", "soc": "zuma"},
            "Google Pixel 8 (zuma)",
        ),
    ],
    ids=["nothing", "model", "all"],
)
def test_results_name_what_is_known_of_a_device(fields, model):
    info = dataclasses.replace(_UNKNOWN, **fields).info()
    assert info.model == model
    assert (info.abi, info.os) == ("unknown", "Android unknown")


def test_the_hottest_sensor_of_a_kind_is_found():
    found = android.DeviceState(
        taken_at="",
        temperatures=tuple(
            android.Temperature(name=name, kind=kind, celsius=celsius)
            for name, kind, celsius in (
                ("A", "skin", 31.0),
                ("B", "skin", 33.0),
                ("C", "cpu", 60.0),
            )
        ),
    )
    assert found.hottest("skin").name == "B"
    assert found.hottest("skin", "cpu").name == "C"
    assert found.hottest("gpu") is None
