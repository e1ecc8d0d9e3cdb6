# SPDX-License-Identifier: Apache-2.0
import socket
import time

import pytest

from android_bench import connection, errors


@pytest.fixture
def silent():
    """A server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield (
            connection.Address(
                host="127.0.0.1", port=listening.getsockname()[1]
            ),
            listening,
        )


def test_the_deadline_holds_for_all_reads_together(silent):
    address, listening = silent
    with connection.Connection(address, timeout_s=0.2) as opened:
        accepted, _ = listening.accept()
        with accepted:
            accepted.sendall(b"abc")
            assert opened.read(2) == b"ab"
            start = time.monotonic()
            with pytest.raises(TimeoutError):
                opened.read(2)
            assert time.monotonic() - start < 5


def test_an_end_is_not_taken_for_data(silent):
    address, listening = silent
    with connection.Connection(address, timeout_s=5) as opened:
        accepted, _ = listening.accept()
        accepted.sendall(b"abc")
        accepted.close()
        with pytest.raises(EOFError):
            opened.read(4)


def test_a_command_too_long_for_the_protocol_is_refused(silent):
    address, _ = silent
    with (
        connection.Connection(address, timeout_s=5) as opened,
        pytest.raises(
            errors.DeviceError,
            match="at most 65535 bytes long. Received: 70000",
        ),
    ):
        opened.request("x" * 70000)
