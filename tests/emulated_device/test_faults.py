# SPDX-License-Identifier: Apache-2.0
"""Faults that other tests do not need."""

import time

import pytest

from android_bench import errors
from tests.emulated_device import programs, small_model

_TOOL = "/data/local/tmp/benchmark_model"


def test_a_tool_hangs_until_it_is_killed(phone, tmp_path):
    emulated, device = phone
    device.push(programs.write_benchmark_model(tmp_path / "b"), _TOOL)
    emulated.faults.tool("hang")
    emulated.faults.survives_hangup = True
    with pytest.raises(errors.DeviceTimeoutError) as found:
        device.shell([_TOOL, "--graph=/data/m"], timeout_s=2)
    assert "INFO: STARTING!" in found.value.stdout
    deadline = time.monotonic() + 10
    while emulated.processes():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_build_may_not_know_a_flag(phone, tmp_path):
    emulated, device = phone
    device.push(programs.write_benchmark_model(tmp_path / "b"), _TOOL)
    device.push(small_model.write(tmp_path / "m"), "/data/local/tmp/m")
    emulated.faults.tool("ignored_flag")
    done = device.shell(
        [
            _TOOL,
            "--graph=/data/local/tmp/m",
            "--max_secs=1",
            "--min_secs=0",
            "--warmup_min_secs=0",
        ]
    )
    assert "WARN: Unconsumed cmdline flags: --max_secs=1\n" in done.stdout


def test_all_faults_end_together(phone, tmp_path):
    emulated, device = phone
    (tmp_path / "x").write_bytes(bytes(1000))
    faults = emulated.faults
    faults.disk_full()
    faults.deny_push()
    faults.slow_push(1.0)
    faults.corrupt_push()
    faults.break_push(10)
    faults.tool("crash", times=5)
    faults.clear()
    device.push(tmp_path / "x", "/data/local/tmp/x")
    assert (emulated.state_dir / "tool_faults").read_text() == "[]"
