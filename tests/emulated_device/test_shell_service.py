# SPDX-License-Identifier: Apache-2.0
import pathlib

import pytest

from tests.emulated_device import shell_service

_ROOT = pathlib.Path("/tmp/p0/root")


@pytest.mark.parametrize(
    ("command", "turned"),
    [
        ("ls /data/local/tmp", "ls /tmp/p0/root/data/local/tmp"),
        ("m --graph=/data/m", "m --graph=/tmp/p0/root/data/m"),
        ("m a:/data/x,b:/sdcard/y", "m a:{0}/data/x,b:{0}/sdcard/y"),
        ("cat '/sys/class/a b'", "cat '{0}/sys/class/a b'"),
        ("cat /proc/meminfo", "cat {0}/proc/meminfo"),
        ("cat /proc/12/status", "cat /proc/12/status"),
        ("cat /database /x/data", "cat /database /x/data"),
        ("ls ./data $D/data", "ls ./data $D/data"),
    ],
)
def test_paths_of_the_device_are_turned_into_files_here(command, turned):
    found = shell_service.to_host(command, _ROOT)
    assert found == turned.format(_ROOT)


def test_paths_are_turned_back_whatever_the_pieces():
    text = b"a /tmp/p0/root/data b /tmp/p0/rope /tmp/p0/root"
    for size in range(1, len(text)):
        turned = shell_service.FromHost(_ROOT)
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        found = b"".join(turned.feed(piece) for piece in pieces)
        assert found + turned.feed(b"") == b"a /data b /tmp/p0/rope "
