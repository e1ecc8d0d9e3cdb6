# SPDX-License-Identifier: Apache-2.0
import hashlib
import io

import pytest

from android_bench import errors, transfer


def test_a_file_is_hashed_while_it_is_read():
    hashed = transfer.Hashed(io.BytesIO(b"abcdef"))
    while hashed.read(4):
        pass
    assert hashed.size_bytes == 6
    assert hashed.sha256 == hashlib.sha256(b"abcdef").hexdigest()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "noise\nrm: /x: Read-only file system\n",
            "rm: /x: Read-only file system. Choose a directory below "
            "/data/local/tmp.",
        ),
        ("", "no reason given."),
    ],
)
def test_the_reason_comes_with_a_way_out(said, told):
    found = transfer.error("remove", "/x", "S1", said)
    assert isinstance(found, errors.TransferError)
    assert str(found) == f"Cannot remove '/x' on S1: {told}"
