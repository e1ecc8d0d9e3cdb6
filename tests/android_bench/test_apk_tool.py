# SPDX-License-Identifier: Apache-2.0
import pathlib

import pytest

from android_bench import apk_tool, runner
from android_bench import errors as device_errors
from tests.android_bench import measuring
from tests.emulated_device import programs
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


def test_the_reason_of_a_failure_is_in_the_log():
    lines = [
        "11-12 10:31:08.001  4711  4711 E tflite  : Failed to load model /m",
        "11-12 10:31:08.002  4711  4711 E tflite  : Benchmarking failed.",
    ]
    message = "A launch of 'a' failed: Failed to load model /m"
    with pytest.raises(errors.BenchmarkError, match=message):
        apk_tool._checked("a", lines)


def test_nothing_is_found_before_the_start():
    assert apk_tool.lines_of(_LOGCAT, _NONCE) == []


def test_rejects_a_package_that_is_not_there(tmp_path):
    with pytest.raises(errors.InputError, match="which is not there"):
        apk_tool.ApkTool(None, tmp_path / "b.apk")


def test_the_app_really_measures(phone, tmp_path):
    emulated, device = phone
    path = programs.write_benchmark_apk(tmp_path / "benchmark.apk")
    used = runner.AndroidRunner(device, apk_tool.ApkTool(device, path))
    models = measuring.models(tmp_path, "a")
    (result,) = used.run(models, measuring.quick(launches=1), tmp_path / "out")
    assert result.runtime == used._tool.identity
    assert result.launches[0].num_runs == 5
    assert result.partitions == 1
    assert result.peak_memory_bytes > 10e6
    assert device.shell(["pm", "path", apk_tool.PACKAGE]).exit_code == 1
    measuring.assert_clean(emulated)


def test_the_app_cannot_be_kept_on_some_cpus(phone, tmp_path):
    emulated, device = phone
    path = programs.write_benchmark_apk(tmp_path / "benchmark.apk")
    used = runner.AndroidRunner(
        device, apk_tool.ApkTool(device, path), runner.Conduct(cpus="little")
    )
    with pytest.raises(errors.InputError, match="`cpu_mask` cannot be given"):
        used.run(measuring.models(tmp_path, "a"), measuring.QUICK, tmp_path)
    measuring.assert_clean(emulated)


def test_a_launch_of_the_app_that_fails_says_why(phone, tmp_path):
    emulated, device = phone
    path = programs.write_benchmark_apk(tmp_path / "benchmark.apk")
    used = runner.AndroidRunner(device, apk_tool.ApkTool(device, path))
    with used.held():
        emulated.faults.tool("fail")
        (failure,) = used.run(
            measuring.models(tmp_path, "a"),
            measuring.quick(launches=1),
            tmp_path / "out",
        )
    assert failure.message.startswith(
        "A launch of 'a' ended before it was done: "
    )
    measuring.assert_clean(emulated)


def test_a_locked_screen_is_refused(phone, tmp_path):
    emulated, device = phone
    emulated.change(is_locked=True)
    path = programs.write_benchmark_apk(tmp_path / "benchmark.apk")
    used = runner.AndroidRunner(device, apk_tool.ApkTool(device, path))
    with (
        pytest.raises(device_errors.DeviceNotReadyError, match="Unlock it"),
        used.held(),
    ):
        pass
    measuring.assert_clean(emulated)


def test_another_package_is_refused(phone, tmp_path):
    emulated, device = phone
    path = tmp_path / "other.apk"
    path.write_text("no app")
    used = runner.AndroidRunner(device, apk_tool.ApkTool(device, path))
    with (
        pytest.raises(device_errors.DeviceError, match="INSTALL_FAILED"),
        used.held(),
    ):
        pass
    measuring.assert_clean(emulated)
