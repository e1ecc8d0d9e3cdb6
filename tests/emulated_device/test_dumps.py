# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.emulated_device import dumps


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([0, 1, 2, 3, 8], "0-3,8"), ([0], "0"), ([0, 2], "0,2"), ([], "")],
)
def test_cpus_are_listed_as_the_kernel_does(numbers, text):
    assert dumps.cpu_list(numbers) == text


def test_properties_are_sorted_and_bracketed():
    assert dumps.properties({"b": "2", "a": ""}) == "[a]: []\n[b]: [2]\n"
