# SPDX-License-Identifier: Apache-2.0
import pytest

from android_bench import cpus
from tflite_opt.records import android

_ROOT = "/sys/devices/system/cpu"


def _text(clusters, **files):
    """Returns files of clusters [(cpus, kHz, capacity)]."""
    lines = []
    for numbers, khz, capacity in clusters:
        for cpu in numbers:
            folder = f"{_ROOT}/cpu{cpu}"
            if khz:
                lines += [f"{folder}/cpufreq/cpuinfo_max_freq:{khz}"]
            if capacity:
                lines += [f"{folder}/cpu_capacity:{capacity}"]
    lines += [f"{_ROOT}/{name}:{text}" for name, text in files.items()]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("sizes", "names"),
    [
        ([8], ("big",)),
        ([4, 4], ("little", "big")),
        ([4, 2, 2], ("little", "mid", "big")),
        ([4, 3, 1], ("little", "big", "prime")),
        ([2, 2, 3, 1], ("little", "mid", "big", "prime")),
        ([1] * 5, ("cluster0", "cluster1", "cluster2", "cluster3", "cluster4")),
        ([], ()),
    ],
    ids=str,
)
def test_clusters_are_named_from_the_slowest(sizes, names):
    assert cpus.cluster_names(sizes) == names


def test_capacity_comes_before_the_clock():
    text = _text([((0, 1), 2_200_000, 300), ((2, 3), 2_000_000, 1024)])
    assert cpus.Cpus(text).clusters() == (
        android.CpuCluster(
            name="little", cpus=(0, 1), max_mhz=2200.0, capacity=300
        ),
        android.CpuCluster(
            name="big", cpus=(2, 3), max_mhz=2000.0, capacity=1024
        ),
    )


def test_clocks_are_enough_for_clusters():
    text = _text([((4, 5), 2_800_000, None), ((0, 1), 1_800_000, None)])
    found = cpus.Cpus(text).clusters()
    assert cpus.named(found) == {"little": (0, 1), "big": (4, 5)}


def test_a_partial_picture_gives_no_clusters():
    text = _text([((0, 1), 2_000_000, None)], possible="0-3")
    assert cpus.Cpus(text).clusters() == ()


def test_what_the_kernel_hides_is_unknown():
    found = cpus.Cpus("")
    assert (found.clusters(), found.frequencies()) == ((), ())
    assert (found.possible, found.online) == ((), ())


def test_cpus_that_share_a_clock_are_one_frequency():
    lines = []
    for cpu in (0, 1):
        folder = f"{_ROOT}/cpu{cpu}/cpufreq"
        lines += [
            f"{folder}/related_cpus:0 1",
            f"{folder}/scaling_governor:walt",
            f"{folder}/scaling_cur_freq:600000",
            f"{folder}/scaling_max_freq:1500000",
            f"{folder}/cpuinfo_max_freq:2000000",
        ]
    assert cpus.Cpus("\n".join(lines)).frequencies() == (
        android.CpuFrequency(
            cpus=(0, 1),
            governor="walt",
            current_mhz=600.0,
            cap_mhz=1500.0,
            max_mhz=2000.0,
        ),
    )


def test_a_mask_is_bare_hexadecimal():
    assert cpus.mask((4, 5, 6, 7)) == "f0"
    assert cpus.mask((8,)) == "100"
