# SPDX-License-Identifier: Apache-2.0
"""The CPUs of a device, from what its kernel shows without root."""

import re
from collections.abc import Mapping

from android_bench import sections
from tflite_opt.records import android

_ROOT = "/sys/devices/system/cpu"
COMMAND = sections.files_command(
    f"{_ROOT}/possible",
    f"{_ROOT}/online",
    f"{_ROOT}/cpu[0-9]*/cpu_capacity",
    f"{_ROOT}/cpu[0-9]*/cpufreq/cpuinfo_max_freq",
    f"{_ROOT}/cpu[0-9]*/cpufreq/related_cpus",
    f"{_ROOT}/cpu[0-9]*/cpufreq/scaling_governor",
    f"{_ROOT}/cpu[0-9]*/cpufreq/scaling_cur_freq",
    f"{_ROOT}/cpu[0-9]*/cpufreq/scaling_max_freq",
)
_NAMES = {
    1: ("big",),
    2: ("little", "big"),
    3: ("little", "mid", "big"),
    4: ("little", "mid", "big", "prime"),
}
_NAMES_WITH_PRIME = ("little", "big", "prime")
_CPU = re.compile(rf"^{_ROOT}/cpu(\d+)/")


class Cpus:
    """What `COMMAND` printed.

    Args:
        text: All of it.
    """

    def __init__(self, text: str) -> None:
        self._files = sections.read_files(text)
        listed = {
            int(match[1]) for path in self._files if (match := _CPU.match(path))
        }
        self.possible = sections.cpu_list(self._files.get(f"{_ROOT}/possible"))
        self.online = sections.cpu_list(self._files.get(f"{_ROOT}/online"))
        self._numbers = sorted({*listed, *self.possible})

    def clusters(self) -> tuple[android.CpuCluster, ...]:
        """Returns the CPUs by their speed; empty if it is hidden."""
        groups: dict[tuple[float, int], list[int]] = {}
        for cpu in self._numbers:
            max_mhz, capacity = self._max_mhz(cpu), self._capacity(cpu)
            if max_mhz is None and capacity is None:
                # A partial picture would give clusters wrong names.
                return ()
            groups.setdefault((max_mhz or 0, capacity or 0), []).append(cpu)
        # Capacity knows that cores of another design are faster at the same
        # clock, but not all kernels tell it.
        ordered = sorted(groups.items(), key=lambda x: (x[0][1], x[0][0]))
        names = cluster_names([len(numbers) for _, numbers in ordered])
        return tuple(
            android.CpuCluster(
                name=name,
                cpus=tuple(numbers),
                max_mhz=max_mhz or None,
                capacity=capacity or None,
            )
            for name, ((max_mhz, capacity), numbers) in zip(
                names, ordered, strict=True
            )
        )

    def frequencies(self) -> tuple[android.CpuFrequency, ...]:
        """Returns the clocks, each once; without those that are hidden."""
        found: dict[tuple[int, ...], android.CpuFrequency] = {}
        for cpu in self._numbers:
            related = self._file(cpu, "related_cpus")
            sharing = sections.cpu_list(related) or (cpu,)
            read = android.CpuFrequency(
                cpus=sharing,
                governor=self._file(cpu, "scaling_governor"),
                current_mhz=self._mhz(cpu, "scaling_cur_freq"),
                cap_mhz=self._mhz(cpu, "scaling_max_freq"),
                max_mhz=self._max_mhz(cpu),
            )
            if read != android.CpuFrequency(cpus=sharing):
                found.setdefault(sharing, read)
        return tuple(found.values())

    def _file(self, cpu: int, name: str) -> str | None:
        return self._files.get(f"{_ROOT}/cpu{cpu}/cpufreq/{name}")

    def _mhz(self, cpu: int, name: str) -> float | None:
        khz = sections.whole_number(self._file(cpu, name))
        return None if khz is None else khz / 1e3

    def _max_mhz(self, cpu: int) -> float | None:
        return self._mhz(cpu, "cpuinfo_max_freq")

    def _capacity(self, cpu: int) -> int | None:
        return sections.whole_number(
            self._files.get(f"{_ROOT}/cpu{cpu}/cpu_capacity")
        )


def cluster_names(sizes: list[int]) -> tuple[str, ...]:
    """Returns the names of clusters.

    Args:
        sizes: Their numbers of CPUs, from the slowest.
    """
    if len(sizes) == len(_NAMES_WITH_PRIME) and sizes[-1] == 1:
        return _NAMES_WITH_PRIME
    if len(sizes) in _NAMES:
        return _NAMES[len(sizes)]
    return tuple(f"cluster{index}" for index in range(len(sizes)))


def mask(numbers: tuple[int, ...]) -> str:
    """Returns CPUs in hexadecimal, as `taskset` takes them: `f0`."""
    return f"{sum(1 << number for number in numbers):x}"


def named(
    clusters: tuple[android.CpuCluster, ...],
) -> Mapping[str, tuple[int, ...]]:
    """Returns the CPUs of each cluster by its name."""
    return {cluster.name: cluster.cpus for cluster in clusters}
