# SPDX-License-Identifier: Apache-2.0
"""Tables over several devices: what is connected, and how fast each is."""

from collections.abc import Sequence

import tabulate

from tflite_opt.records import android, benchmark

_HEADERS = (
    "serial",
    "device",
    "Android",
    "ABI",
    "CPUs",
    "battery",
    "thermal status",
    "fit to measure",
)
FIT = "yes"


def device_row(
    serial: str,
    device: android.AndroidDevice,
    state: android.DeviceState,
    obstacles: Sequence[str],
) -> tuple[str, ...]:
    """Returns the cells of one device for `devices`."""
    info = device.info()
    return (
        serial,
        info.model,
        device.android_version or "-",
        info.abi,
        ", ".join(map(_cluster, device.clusters)) or str(info.num_cpus),
        _battery(state),
        _text(state.thermal_status),
        " ".join(obstacles) or FIT,
    )


def unusable_row(serial: str, reason: str) -> tuple[str, ...]:
    """Returns the cells of a device that does not let adb in."""
    return (serial, *"-" * (len(_HEADERS) - 2), reason)


def devices(rows: Sequence[Sequence[str]]) -> str:
    """Returns one line for each connected device."""
    return tabulate.tabulate(rows, _HEADERS, disable_numparse=True)


def latencies(results: Sequence[benchmark.BenchmarkResult]) -> str:
    """Returns the median latency of each model on each device, in ms."""
    found = {
        (result.artifact.name, result.device.device_key): result
        for result in results
    }
    models = list(dict.fromkeys(name for name, _ in found))
    keys = {x.device.device_key: x.device.model for x in results}
    rows = [
        (name, *(_median(found.get((name, key))) for key in keys))
        for name in models
    ]
    return tabulate.tabulate(
        rows,
        ("median ms", *keys.values()),
        disable_numparse=True,
        colalign=("left", *["right"] * len(keys)),
    )


def _cluster(cluster: android.CpuCluster) -> str:
    mhz = f" at {cluster.max_mhz:.0f} MHz" if cluster.max_mhz else ""
    return f"{len(cluster.cpus)} {cluster.name}{mhz}"


def _battery(state: android.DeviceState) -> str:
    if state.battery_fraction is None:
        return "-"
    charging = ", charging" if state.is_charging else ""
    return f"{state.battery_fraction:.0%}{charging}"


def _text(value: int | None) -> str:
    return "-" if value is None else str(value)


def _median(result: benchmark.BenchmarkResult | None) -> str:
    if result is None or result.latency.median_ms is None:
        return "-"
    return f"{result.latency.median_ms:.4g}"
