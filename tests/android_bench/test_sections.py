# SPDX-License-Identifier: Apache-2.0
import pytest

from android_bench import sections


def test_each_command_has_its_own_answer(phone):
    emulated, device = phone
    found = sections.ask(
        device,
        {
            "first": "echo one; echo two",
            "second": "echo hidden >&2; false",
            "third": "exec_nothing",
            "fourth": "printf 'no newline'",
            "fifth": "cat",
        },
    )
    assert found == {
        "first": "one\ntwo\n",
        "second": "",
        "third": "",
        "fourth": "no newline",
        "fifth": "",
    }
    assert sum("one" in x for x in emulated.commands()) == 1


def test_files_are_read_and_hidden_ones_left_out(phone):
    emulated, device = phone
    emulated.faults.hide("sys/devices/system/cpu/cpu0/cpu_capacity")
    command = sections.files_command(
        "/sys/devices/system/cpu/cpu[0-4]/cpu_capacity", "/sys/nothing"
    )
    found = sections.read_files(device.run_script(command).stdout)
    assert found == {
        f"/sys/devices/system/cpu/cpu{cpu}/cpu_capacity": value
        for cpu, value in ((1, "160"), (2, "160"), (3, "160"), (4, "682"))
    }


@pytest.mark.parametrize(
    ("text", "number"),
    [("5\n", 5), ("-7", -7), ("", None), (None, None), ("1.5", None)],
)
def test_only_whole_numbers_are_numbers(text, number):
    assert sections.whole_number(text) == number


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0-3,8", (0, 1, 2, 3, 8)),
        ("4 5 6", (4, 5, 6)),
        ("0", (0,)),
        ("", ()),
        (None, ()),
    ],
)
def test_lists_of_cpus_are_read_in_both_forms(text, numbers):
    assert sections.cpu_list(text) == numbers


def test_memory_is_read_by_name():
    text = "MemTotal:        7800000 kB\nMemFree:          100 kB\n"
    assert sections.kilobytes(text, "MemTotal") == 7800000
    assert sections.kilobytes(text, "MemAvailable") is None
