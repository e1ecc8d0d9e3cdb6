# SPDX-License-Identifier: Apache-2.0
"""Each fault ends in a result, a resumed result, or one clear error."""

import dataclasses
import os
import signal
import threading

import pytest

from android_bench import errors, fleet, settings
from tests.android_bench import measuring
from tflite_opt.records import android_launch, benchmark

_OPTIONS = measuring.quick(launches=2)


def _measure(phone, tmp_path, options=_OPTIONS, **conduct):
    runner = measuring.runner_for(phone[1], tmp_path, **conduct)
    models = measuring.models(tmp_path, "a")
    (found,) = runner.run(models, options, tmp_path / "out")
    measuring.assert_clean(phone[0])
    return found


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("crash", "A launch of 'a' crashed with signal 6"),
        ("fail", "A launch of 'a' failed: "),
        ("silence", "The tool must write a result file"),
        ("contradiction", "must print what it writes into its result file"),
        ("ignored_flag", "it ignores others. Received: --max_secs=10.0"),
    ],
)
def test_a_tool_that_goes_wrong_is_a_failure(fault, message, phone, tmp_path):
    emulated, device = phone
    runner = measuring.runner_for(device, tmp_path)
    models = measuring.models(tmp_path, "a", "b")
    with runner.held():
        runner._tool.binary = _without_memory(runner._tool.binary)
        emulated.faults.tool(fault)
        found = runner.run(
            models, measuring.quick(launches=1), tmp_path / "out"
        )
    kinds = sorted(type(x).__name__ for x in found)
    assert kinds == ["BenchmarkFailure", "BenchmarkResult"]
    (failure,) = [x for x in found if isinstance(x, benchmark.BenchmarkFailure)]
    name = failure.artifact.name
    assert message.replace("'a'", repr(name)) in failure.message
    measuring.assert_clean(emulated)


def _without_memory(binary):
    flags = binary.flags - {"report_peak_memory_footprint"}
    return dataclasses.replace(binary, flags=flags)


def test_a_tool_that_hangs_is_killed(phone, tmp_path):
    runner = measuring.runner_for(phone[1], tmp_path)
    models = measuring.models(tmp_path, "a")
    with runner.held():
        phone[0].faults.tool("hang")
        options = measuring.quick(timeout_s=1.0)
        (found,) = runner.run(models, options, tmp_path / "out")
    assert "took longer than 1 s and was killed" in found.message
    measuring.assert_clean(phone[0])


def test_a_cable_that_is_pulled_costs_one_launch(phone, tmp_path, caplog):
    phone[0].faults.drop_during("--num_runs=5", after_s=0.2, away_s=0.5)
    found = _measure(phone, tmp_path)
    assert "went away while it was in use" in caplog.text
    assert len(found.launches) == 2
    logs = android_launch.AndroidLogs.load(found.logs_path)
    assert logs.repeated == ()


def test_a_reboot_is_survived_and_settings_changed_again(
    phone, tmp_path, monkeypatch
):
    emulated, device = phone
    runner = measuring.runner_for(
        device, tmp_path, settings=settings.Settings(fixed_performance=True)
    )
    original, timers, held = runner._tool.run, [], []

    def run(*arguments, **values):
        if not timers:
            timers.append(threading.Timer(0.2, emulated.faults.reboot))
            timers[0].start()
        held.append(emulated.has_fixed_performance())
        return original(*arguments, **values)

    monkeypatch.setattr(runner._tool, "run", run)
    models = measuring.models(tmp_path, "a")
    (found,) = runner.run(models, _OPTIONS, tmp_path / "out")
    assert len(found.launches) == 2
    assert all(held)
    measuring.assert_clean(emulated)


def test_a_phone_that_does_not_come_back_is_one_error_and_resumed(
    phone, tmp_path
):
    emulated, device = phone
    models = measuring.models(tmp_path, "a")
    runner = measuring.runner_for(device, tmp_path, reconnect_timeout_s=0.5)
    original, numbers = runner._tool.run, []

    def run(*arguments, **values):
        numbers.append(len(numbers))
        # The memory launch and one that counts are done.
        if len(numbers) == 3:
            emulated.faults.drop(away_s=4)
        return original(*arguments, **values)

    runner._tool.run = run
    with pytest.raises(errors.DeviceTimeoutError, match="did not come back"):
        runner.run(models, _OPTIONS, tmp_path / "out")
    (kept,) = (tmp_path / "out" / "launches").iterdir()
    first = android_launch.AndroidAttempts.load(kept).attempts[0]
    device.wait(20)
    again = measuring.runner_for(device, tmp_path)
    (found,) = again.run(models, _OPTIONS, tmp_path / "out")
    logs = android_launch.AndroidLogs.load(found.logs_path)
    assert logs.launches[0] == first
    assert len(logs.launches) == 2
    measuring.assert_clean(emulated)


def test_a_broken_push_is_done_again(phone, tmp_path):
    phone[0].faults.break_push(after_bytes=100_000)
    found = _measure(phone, tmp_path, measuring.quick(launches=1))
    assert isinstance(found, benchmark.BenchmarkResult)


def test_a_push_that_arrives_changed_is_one_error(phone, tmp_path):
    phone[0].faults.corrupt_push()
    with pytest.raises(errors.TransferError, match="arrive as it was sent"):
        _measure(phone, tmp_path)
    measuring.assert_clean(phone[0])


def test_hidden_files_of_the_kernel_are_no_error(phone, tmp_path):
    for pattern in (
        "sys/devices/system/cpu/cpu*/cpufreq/*",
        "sys/class/thermal/*/temp",
        "sys/class/power_supply/battery/*",
    ):
        phone[0].faults.hide(pattern)
    found = _measure(phone, tmp_path, measuring.quick(launches=1))
    assert "The device hides the clocks of its CPUs." in found.warnings


def test_a_phone_that_is_locked_out_in_the_middle_is_one_error(phone, tmp_path):
    emulated, device = phone
    runner = measuring.runner_for(device, tmp_path, reconnect_timeout_s=0.5)
    models = measuring.models(tmp_path, "a")
    emulated.faults.unauthorized()
    with pytest.raises(errors.DeviceError):
        runner.run(models, _OPTIONS, tmp_path / "out")


def test_ctrl_c_stops_all_phones_and_cleans_up(phones, tmp_path):
    runners = [
        measuring.runner_for(phones.device(i), tmp_path) for i in range(2)
    ]
    models = measuring.models(tmp_path, "a")
    options = measuring.quick(launches=50, num_runs=10**9, max_secs=60.0)
    started = threading.Barrier(3)

    def work(runner):
        with runner.held():
            started.wait()
            runner.run(models, options, tmp_path / runner.device.serial)

    def interrupt():
        started.wait()
        threading.Event().wait(1.0)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        fleet.measure(runners, work)
    for emulated in phones.phones:
        measuring.assert_clean(emulated)


def test_a_phone_that_fails_does_not_stop_the_other(phones, tmp_path):
    runners = [
        measuring.runner_for(phones.device(i), tmp_path) for i in range(2)
    ]
    phones[0].faults.disk_full()
    models = measuring.models(tmp_path, "a")
    options = measuring.quick(launches=1)
    failed, found = fleet.measure(
        runners,
        lambda x: x.run(models, options, tmp_path / x.device.serial),
    )
    assert isinstance(failed, errors.TransferError)
    assert isinstance(found[0], benchmark.BenchmarkResult)
    for emulated in phones.phones:
        measuring.assert_clean(emulated)
