# SPDX-License-Identifier: Apache-2.0
import pathlib

import pytest

from android_bench import apk_tool
from tflite_opt.benchmark import tool_output
from tflite_opt.records import errors

_LOGCAT = (
    pathlib.Path(__file__).parents[1]
    / "benchmark"
    / "tool_outputs"
    / "classic_logcat.txt"
).read_text()
_NONCE = "5f0c9a"


def _log(text=_LOGCAT, nonce=_NONCE):
    return text.replace(
        "--num_threads=4", f"--num_threads=4 --benchmark_name={nonce}"
    )


def test_lines_are_those_of_the_process_with_the_nonce():
    other = _log(nonce="other").replace(" 4711 ", " 99 ")
    found = apk_tool.lines_of(other + _log() + other, _NONCE)
    assert len(found) == len(_LOGCAT.splitlines())
    assert all(" 4711 " in line for line in found)
    parsed = tool_output.parse("\n".join(found), "")
    assert parsed.inference.count == 592


def test_nothing_is_found_before_the_start():
    assert apk_tool.lines_of(_LOGCAT, _NONCE) == []


def test_rejects_a_package_that_is_not_there(tmp_path):
    with pytest.raises(errors.InputError, match="which is not there"):
        apk_tool.ApkTool(None, tmp_path / "b.apk")
