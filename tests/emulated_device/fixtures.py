# SPDX-License-Identifier: Apache-2.0
"""Fixtures with emulated phones that a real adb server is connected to."""

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterator

import pytest

from android_bench import device, server
from tests.emulated_device import adb_server, file_tree, profiles
from tests.emulated_device import phone as phone_module

_KINDS = (profiles.PIXEL, profiles.GALAXY)


@dataclasses.dataclass(frozen=True)
class Phones:
    """Phones and the server that knows them.

    Attributes:
        adb: The real adb server.
        server: The library's view of it.
        phones: Connected, the first like a Pixel, the next like a Galaxy.
    """

    adb: adb_server.AdbServer
    server: server.Server
    phones: tuple[phone_module.Phone, ...]

    def device(self, index: int = 0) -> device.Device:
        """Returns the library's view of a phone."""
        return self.server.device(self.phones[index].serial)

    def __getitem__(self, index: int) -> phone_module.Phone:
        return self.phones[index]

    def __len__(self) -> int:
        return len(self.phones)


@contextlib.contextmanager
def running(
    adb: adb_server.AdbServer, folder: pathlib.Path, number: int
) -> Iterator[Phones]:
    """Runs phones, connected to a server, until the context ends.

    Args:
        adb: The server.
        folder: For the phones' files, which are removed.
        number: How many phones.
    """
    with contextlib.ExitStack() as stack:
        phones = []
        connected = adb.connect()
        for index in range(number):
            own = folder / f"phone{index}"
            stack.callback(file_tree.remove, own)
            found = stack.enter_context(
                phone_module.Phone(
                    own,
                    _KINDS[index % len(_KINDS)],
                    # Phones of two processes must not be taken for one.
                    serial_number=f"EMULATED{os.getpid()}N{index}",
                )
            )
            connected.connect_network_device(found.serial)
            stack.callback(connected.disconnect_network_device, found.serial)
            phones.append(found)
        yield Phones(adb, connected, tuple(phones))


@pytest.fixture(scope="session")
def adb(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[adb_server.AdbServer]:
    """A real adb server with no device."""
    with adb_server.AdbServer(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def make_phones(
    adb: adb_server.AdbServer, tmp_path: pathlib.Path
) -> Iterator[Callable[[int], Phones]]:
    """Returns a function that makes connected phones, once in a test."""
    with contextlib.ExitStack() as stack:
        yield lambda number: stack.enter_context(
            running(adb, tmp_path / "phones", number)
        )


@pytest.fixture
def phones(make_phones: Callable[[int], Phones]) -> Phones:
    """Two phones, one of each kind."""
    return make_phones(2)


@pytest.fixture
def phone(
    make_phones: Callable[[int], Phones],
) -> tuple[phone_module.Phone, device.Device]:
    """One phone, and the library's view of it."""
    made = make_phones(1)
    return made[0], made.device()
