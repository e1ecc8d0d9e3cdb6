# SPDX-License-Identifier: Apache-2.0
"""Native chatter is kept out of stderr, errors are not."""

import os

from tflite_opt.tflite import native_messages

_CHATTER = (
    b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
    b"WARNING: All log messages before absl::InitializeLog() is called are\n"
    b"I0000 00:00:1795666746.451826    1628 port.cc:153] oneDNN\n"
    b"E0000 00:00:1795666755.8 1628 cuda_platform:52] failed call to cuInit\n"
)
_ERROR = b"E0000 00:00:1795666755.8 1628 kernel.cc:52] out of memory\n"


def _written(capfd):
    with native_messages.filtered():
        os.write(2, _CHATTER + _ERROR)
    return capfd.readouterr().err.encode()


def test_chatter_is_dropped_and_errors_are_kept(capfd, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    assert _written(capfd) == _ERROR


def test_whoever_asks_for_everything_gets_it(capfd, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    assert _written(capfd) == _CHATTER + _ERROR
