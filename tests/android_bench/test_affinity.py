# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from android_bench import affinity
from tflite_opt.records import android, errors

_CLUSTERS = (
    android.CpuCluster(name="little", cpus=(0, 1, 2, 3), max_mhz=1803.0),
    android.CpuCluster(name="big", cpus=(4, 5, 6), max_mhz=2348.0),
    android.CpuCluster(name="prime", cpus=(7,), max_mhz=2850.0),
)
_ALL = tuple(range(8))


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("", ""),
        ("little", "f"),
        ("prime", "80"),
        ("big,prime", "f0"),
        ("f0", "f0"),
        ("0x3", "3"),
    ],
)
def test_clusters_and_masks_become_a_mask(text, mask):
    assert affinity.choose(text, _CLUSTERS, _ALL) == mask


def test_a_name_that_is_also_hexadecimal_is_a_mask_without_such_a_cluster():
    assert affinity.choose("bad", (), ()) == "bad"


def test_a_mask_needs_no_clusters():
    assert affinity.choose("30", (), ()) == "30"


@pytest.mark.parametrize("text", ["mid", "little,mid", "zz", "0", "big,"])
def test_rejects_what_the_device_does_not_have(text):
    message = (
        f"Received: cpus={text!r}. Its clusters are: little (CPU 0, 1, 2, 3, "
        "1803 MHz), big (CPU 4, 5, 6, 2348 MHz), prime (CPU 7, 2850 MHz)."
    )
    with pytest.raises(errors.InputError, match=re.escape(message)):
        affinity.choose(text, _CLUSTERS, _ALL)


def test_rejects_cpus_that_are_switched_off():
    with pytest.raises(errors.InputError, match=r"CPU 7\. Online: 0, 1, 2, 3"):
        affinity.choose("prime", _CLUSTERS, (0, 1, 2, 3))


def test_a_device_that_hides_its_cpus_says_so():
    with pytest.raises(errors.InputError, match="clusters are: hidden"):
        affinity.choose("prime", (), ())
