# SPDX-License-Identifier: Apache-2.0
"""What a device is, from what it tells without root."""

import re

from android_bench import cpus, device, sections
from tflite_opt.records import android, files

_KEY_SALT = "tflite_opt device"
_PROPERTY = re.compile(r"^\[([^\]]+)\]: \[(.*)\]$", re.MULTILINE)
_VIRTUAL_HARDWARE = ("goldfish", "ranchu", "cutf_cvm", "vsoc_x86")
_COMMANDS = {
    "properties": "getprop",
    "cpus": cpus.COMMAND,
    "memory": "cat /proc/meminfo",
    "user": "id -u",
    "su": "command -v su",
}


def describe(described: device.Device) -> android.AndroidDevice:
    """Returns what a device is; what it hides is None.

    Raises:
        DeviceLostError: If it goes away.
    """
    found = sections.ask(described, _COMMANDS)
    properties = dict(_PROPERTY.findall(found["properties"]))
    read = cpus.Cpus(found["cpus"])
    memory_kb = sections.kilobytes(found["memory"], "MemTotal")
    # The name in adb changes with the way a device is connected.
    identity = properties.get("ro.serialno") or described.serial
    abis = properties.get("ro.product.cpu.abilist", "").split(",")
    return android.AndroidDevice(
        device_key=files.sha256_of_text(f"{_KEY_SALT} {identity}")[:16],
        manufacturer=properties.get("ro.product.manufacturer") or None,
        model=properties.get("ro.product.model") or None,
        device=properties.get("ro.product.device") or None,
        soc=_soc(properties),
        abis=tuple(filter(None, abis)),
        android_version=properties.get("ro.build.version.release") or None,
        sdk=sections.whole_number(properties.get("ro.build.version.sdk")),
        fingerprint=properties.get("ro.build.fingerprint") or None,
        clusters=read.clusters(),
        num_cpus=len(read.possible) or None,
        memory_bytes=None if memory_kb is None else memory_kb << 10,
        is_rooted=found["user"].strip() == "0" or bool(found["su"].strip()),
        is_emulator=_is_virtual(properties),
    )


def _soc(properties: dict[str, str]) -> str | None:
    # Since Android 12; before, only the platform is told.
    named = [
        properties.get(f"ro.soc.{part}", "")
        for part in ("manufacturer", "model")
    ]
    return " ".join(filter(None, named)) or properties.get("ro.board.platform")


def _is_virtual(properties: dict[str, str]) -> bool:
    return (
        "1"
        in (properties.get("ro.boot.qemu"), properties.get("ro.kernel.qemu"))
        or properties.get("ro.hardware") in _VIRTUAL_HARDWARE
        or "emulator" in properties.get("ro.build.characteristics", "")
    )
