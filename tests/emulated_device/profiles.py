# SPDX-License-Identifier: Apache-2.0
"""What the emulated phones are.

Figures follow public logs of a Pixel 8 and a Galaxy S23; the phones say of
themselves that they are emulated.
"""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cluster:
    """CPUs that share a clock."""

    cpus: tuple[int, ...]
    min_khz: int
    max_khz: int
    capacity: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sensor:
    """A sensor of the thermal HAL.

    Attributes:
        name: As the phone calls it.
        kind: The number of its type.
        gain: How much warmer than the air it is, as a multiple of the skin.
        fixed: A reading that is no temperature; None for one.
    """

    name: str
    kind: int
    gain: float = 1.0
    fixed: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile:
    """One kind of phone.

    Attributes:
        properties: Of `getprop`, beside those that all phones have.
        clusters: Of its CPUs.
        sensors: Of its thermal HAL.
        zones: Names of its thermal zones in /sys, with their gain.
        memory_kb: Of main memory.
        hidden: Patterns of files that its kernel denies to the shell.
    """

    properties: dict[str, str]
    clusters: tuple[Cluster, ...]
    sensors: tuple[Sensor, ...]
    zones: dict[str, float]
    memory_kb: int
    hidden: tuple[str, ...] = ()

    @property
    def num_cpus(self) -> int:
        """How many CPUs it has."""
        return sum(len(cluster.cpus) for cluster in self.clusters)

    @property
    def capacities(self) -> list[int]:
        """Speeds of all CPUs, by number; the fastest has 1024."""
        found = {
            cpu: cluster.capacity
            for cluster in self.clusters
            for cpu in cluster.cpus
        }
        return [found[cpu] for cpu in sorted(found)]


_COMMON = {
    "ro.boot.qemu": "1",
    "ro.product.cpu.abi": "arm64-v8a",
    "ro.product.cpu.abilist": "arm64-v8a,armeabi-v7a,armeabi",
    "ro.debuggable": "0",
    "ro.secure": "1",
    "sys.boot_completed": "1",
}

PIXEL = Profile(
    properties=_COMMON
    | {
        "ro.product.manufacturer": "Google",
        "ro.product.brand": "google",
        "ro.product.model": "Pixel-like",
        "ro.product.name": "emulated_pixel",
        "ro.product.device": "emulated_pixel",
        "ro.soc.manufacturer": "Google",
        "ro.soc.model": "Tensor G3",
        "ro.board.platform": "zuma",
        "ro.hardware": "zuma",
        "ro.build.version.release": "15",
        "ro.build.version.sdk": "35",
        "ro.build.fingerprint": (
            "google/emulated_pixel/emulated_pixel:15/AP4A/1:user/release-keys"
        ),
    },
    clusters=(
        Cluster(
            cpus=(0, 1, 2, 3), min_khz=324000, max_khz=1704000, capacity=160
        ),
        Cluster(
            cpus=(4, 5, 6, 7), min_khz=402000, max_khz=2367000, capacity=682
        ),
        Cluster(cpus=(8,), min_khz=500000, max_khz=2914000, capacity=1024),
    ),
    sensors=(
        Sensor(name="VIRTUAL-SKIN", kind=3),
        Sensor(name="BIG", kind=0, gain=2.2),
        Sensor(name="MID", kind=0, gain=1.9),
        Sensor(name="LITTLE", kind=0, gain=1.6),
        Sensor(name="G3D", kind=1, gain=1.5),
        Sensor(name="TPU", kind=9, gain=1.4),
        Sensor(name="battery", kind=2, gain=0.8),
        Sensor(name="VIRTUAL-USB-UI", kind=4, gain=0.7),
        Sensor(name="vdroop1", kind=6, fixed=4200.0),
        Sensor(name="soc", kind=8, fixed=87.0),
        Sensor(name="charger_therm", kind=-1, fixed=-5700.0),
    ),
    zones={"BIG": 2.2, "MID": 1.9, "LITTLE": 1.6, "G3D": 1.5},
    memory_kb=7_800_000,
)

GALAXY = Profile(
    properties=_COMMON
    | {
        "ro.product.manufacturer": "samsung",
        "ro.product.brand": "samsung",
        "ro.product.model": "Galaxy-like",
        "ro.product.name": "emulated_galaxy",
        "ro.product.device": "emulated_galaxy",
        "ro.soc.manufacturer": "QTI",
        "ro.soc.model": "SM8550",
        "ro.board.platform": "kalama",
        "ro.hardware": "qcom",
        "ro.build.version.release": "14",
        "ro.build.version.sdk": "34",
        "ro.build.fingerprint": (
            "samsung/emulated_galaxy/emulated_galaxy:14/UP1A/1:user/"
            "release-keys"
        ),
    },
    clusters=(
        Cluster(cpus=(0, 1, 2), min_khz=307200, max_khz=2016000, capacity=325),
        Cluster(
            cpus=(3, 4, 5, 6), min_khz=499200, max_khz=2803200, capacity=828
        ),
        Cluster(cpus=(7,), min_khz=595200, max_khz=3360000, capacity=1024),
    ),
    sensors=(
        Sensor(name="AP", kind=0, gain=1.5),
        Sensor(name="BAT", kind=2, gain=0.8),
        Sensor(name="SKIN", kind=3),
        Sensor(name="CP", kind=0, gain=1.2),
    ),
    zones={"cpuss-0": 2.0, "gpuss-0": 1.5},
    memory_kb=7_300_000,
    hidden=(
        "sys/class/thermal/*/temp",
        "sys/class/power_supply/battery/*",
        "sys/devices/system/cpu/*/cpu_capacity",
    ),
)

BY_NAME = {"pixel": PIXEL, "galaxy": GALAXY}
