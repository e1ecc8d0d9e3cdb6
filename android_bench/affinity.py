# SPDX-License-Identifier: Apache-2.0
"""Which CPUs of a device a launch is kept on."""

import re

from android_bench import cpus
from tflite_opt.records import android, errors

_MASK = re.compile(r"(?:0x)?([0-9a-f]+)", re.IGNORECASE)


def choose(
    text: str,
    clusters: tuple[android.CpuCluster, ...],
    online: tuple[int, ...],
) -> str:
    """Returns the mask for `taskset` of CPUs given by name.

    Args:
        text: Names of clusters with commas between, as `mid,prime`; or a mask
            in hexadecimal, as `f0`; "" for all.
        clusters: Of the device; empty if it hides them.
        online: CPUs that run; empty if it hides them.

    Returns:
        In hexadecimal; "" for all.

    Raises:
        InputError: If it is neither, or one of the CPUs is not online.
    """
    if not text:
        return ""
    named = cpus.named(clusters)
    names = text.split(",")
    if all(name in named for name in names):
        wanted = {number for name in names for number in named[name]}
    elif match := _MASK.fullmatch(text):
        mask = int(match[1], 16)
        wanted = {i for i in range(mask.bit_length()) if mask >> i & 1}
    else:
        wanted = set()
    if not wanted:
        raise errors.InputError(
            "`cpus` must be clusters of the device or a mask in hexadecimal, "
            f"as f0. Received: cpus={text!r}. Its clusters are: "
            f"{', '.join(map(_described, clusters)) or 'hidden'}."
        )
    if online and wanted - set(online):
        offline = sorted(wanted - set(online))
        raise errors.InputError(
            "`cpus` must be online. "
            f"Received: cpus={text!r}, CPU {', '.join(map(str, offline))}. "
            f"Online: {', '.join(map(str, online))}."
        )
    return cpus.mask(tuple(sorted(wanted)))


def _described(cluster: android.CpuCluster) -> str:
    mhz = f", {cluster.max_mhz:.0f} MHz" if cluster.max_mhz else ""
    numbers = ", ".join(map(str, cluster.cpus))
    return f"{cluster.name} (CPU {numbers}{mhz})"
