# SPDX-License-Identifier: Apache-2.0
"""The flags of measurements on phones."""

import pathlib
from typing import TYPE_CHECKING

from absl import flags

from tflite_opt.records import errors

# adb takes a while to import, and most programs run without.
if TYPE_CHECKING:
    from android_bench import device, runner, server

BENCHMARK_BINARY = flags.DEFINE_string(
    "benchmark_binary",
    None,
    "The tool: a benchmark_model, the benchmark app's .apk, or on a phone "
    "litert:VERSION or litert:nightly for an official build.",
)
_LIBRARY = flags.DEFINE_multi_string(
    "library",
    [],
    "A library that the tool needs on the phone; repeatable. A --tool_flags "
    "value that is its path becomes its place there.",
)
_BINARY_URL = flags.DEFINE_string(
    "binary_url", None, "Where official builds are, instead of Google's."
)
_SERIAL = flags.DEFINE_multi_string(
    "serial", [], "The phone, as `adb devices` names it; repeatable."
)
_ALL_DEVICES = flags.DEFINE_bool(
    "all_devices", False, "Whether all connected phones are taken."
)
_ADB_HOST = flags.DEFINE_string(
    "adb_host", None, "Machine of the adb server; by default this one."
)
_ADB_PORT = flags.DEFINE_integer(
    "adb_port", None, "Its port; by default $ANDROID_ADB_SERVER_PORT or 5037."
)
_CPUS = flags.DEFINE_string(
    "cpus",
    "",
    "The phone's CPUs to run on: clusters, as big or mid,prime, or a mask, as "
    "f0. By default all.",
)
_MAX_THERMAL_STATUS = flags.DEFINE_integer(
    "max_thermal_status",
    0,
    "Highest thermal status, 0 to 6, at which a launch begins.",
    lower_bound=0,
    upper_bound=6,
)
_MAX_CELSIUS = flags.DEFINE_float(
    "max_celsius", None, "Likewise the temperature of the phone's skin."
)
_COOL_TIMEOUT_S = flags.DEFINE_float(
    "cool_timeout_s", 600.0, "Longest wait for that.", lower_bound=0.1
)
_COOL_POLL_S = flags.DEFINE_float(
    "cool_poll_s", 5.0, "Seconds between two looks.", lower_bound=0.01
)
_MAX_REPEATS = flags.DEFINE_integer(
    "max_repeats",
    2,
    "How often a launch is done again that was throttled meanwhile.",
    lower_bound=0,
)
_RECONNECT_TIMEOUT_S = flags.DEFINE_float(
    "reconnect_timeout_s",
    120.0,
    "Longest wait for a phone that went away.",
    lower_bound=0.1,
)
_KEEP = flags.DEFINE_bool(
    "keep", False, "Whether pushed files stay on the phone, for the next run."
)
_FORCE = flags.DEFINE_bool(
    "force", False, "Whether to measure a phone that is not fit for it."
)
_STAY_AWAKE = flags.DEFINE_bool(
    "stay_awake", False, "Keep the screen on; put back at the end."
)
_FIXED_PERFORMANCE = flags.DEFINE_bool(
    "fixed_performance",
    False,
    "Ask Android 11 and newer for clocks that can be held; put back at the "
    "end.",
)
_AIRPLANE_MODE = flags.DEFINE_bool(
    "airplane_mode", False, "Switch radios off, over USB; put back at the end."
)
_ENERGY_S = flags.DEFINE_float(
    "energy_s",
    0.0,
    "Seconds that each model runs to estimate its energy by the battery's "
    "gauge, on a phone that is not powered; 0 for no estimate.",
    lower_bound=0.0,
)


def server_and_devices() -> "tuple[server.Server, list[device.Device]]":
    """Returns the adb server and the phones that the flags choose.

    Raises:
        DeviceError: If there is none, or it is not clear which.
    """
    from android_bench import server

    found = connect()
    return found, server.choose(found, _SERIAL.value, _ALL_DEVICES.value)


def connect() -> "server.Server":
    """Returns the adb server that the flags name.

    Raises:
        ServerError: If it cannot be reached.
    """
    from android_bench import server

    return server.connect(_ADB_HOST.value, _ADB_PORT.value)


def runners(kind: str) -> "list[runner.AndroidRunner]":
    """Returns a Runner for each phone that the flags choose.

    Args:
        kind: `android` for a program of adb's shell, `apk` for the app.

    Raises:
        InputError: If a file is missing or does not fit the phone.
        DeviceError: If a phone cannot be used.
    """
    _require_binary(kind)
    _, devices = server_and_devices()
    return [_runner(kind, found) for found in devices]


def conduct() -> "runner.Conduct":
    """Returns how the flags want a phone to be treated."""
    from android_bench import readiness, runner, settings

    return runner.Conduct(
        cpus=_CPUS.value,
        gate=readiness.ThermalGate(
            max_status=_MAX_THERMAL_STATUS.value,
            max_celsius=_MAX_CELSIUS.value,
            timeout_s=_COOL_TIMEOUT_S.value,
            poll_s=_COOL_POLL_S.value,
        ),
        force=_FORCE.value,
        max_repeats=_MAX_REPEATS.value,
        reconnect_timeout_s=_RECONNECT_TIMEOUT_S.value,
        keep=_KEEP.value,
        energy_s=_ENERGY_S.value,
        settings=settings.Settings(
            stay_awake=_STAY_AWAKE.value,
            fixed_performance=_FIXED_PERFORMANCE.value,
            airplane_mode=_AIRPLANE_MODE.value,
        ),
    )


def libraries() -> tuple[pathlib.Path, ...]:
    """Returns the libraries beside the tool."""
    return tuple(map(pathlib.Path, _LIBRARY.value))


def binary(found: "device.Device") -> pathlib.Path:
    """Returns the tool for a phone, downloaded if that is asked for.

    Raises:
        InputError: If there is none for it.
    """
    from android_bench import binaries, description

    text = BENCHMARK_BINARY.value
    if not binaries.is_official(text):
        return pathlib.Path(text)
    abi = description.describe(found).info().abi
    return binaries.resolve(
        text, abi, base_url=_BINARY_URL.value or binaries.BASE_URL
    )


def _require_binary(kind: str) -> None:
    if BENCHMARK_BINARY.value is None:
        raise errors.InputError(
            "--benchmark_binary must name what measures on the phone. "
            f"Received: runner={kind}, benchmark_binary=None. Give "
            "litert:2.2.0 for an official build, or a path."
        )


def _runner(kind: str, found: "device.Device") -> "runner.AndroidRunner":
    from android_bench import apk_tool, runner, shell_tool, tool

    used: tool.Tool
    if kind == "apk":
        used = apk_tool.ApkTool(found, binary(found))
    else:
        used = shell_tool.ShellTool(found, binary(found), libraries())
    return runner.AndroidRunner(found, used, conduct())
