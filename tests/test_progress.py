# SPDX-License-Identifier: Apache-2.0
import sys

import pytest

from tflite_opt import progress


def _work():
    with progress.track("convert", 2) as bar:
        bar.step("float32")
        bar.step("int8")


def test_without_a_terminal_each_step_is_a_line(caplog):
    caplog.set_level("INFO")
    _work()
    assert caplog.messages == ["convert [1/2] float32", "convert [2/2] int8"]


@pytest.mark.parametrize(("level", "is_shown"), [("INFO", 1), ("WARNING", 0)])
def test_a_terminal_has_a_bar_unless_it_shall_be_quiet(
    caplog, monkeypatch, capsys, level, is_shown
):
    caplog.set_level(level)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    _work()
    assert ("convert" in capsys.readouterr().err) == is_shown
