# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from android_bench import errors as device_errors
from android_bench import readiness
from tests.android_bench import measuring
from tflite_opt.comparison import comparable
from tflite_opt.records import android_launch, benchmark, errors


def _logs(result):
    return android_launch.AndroidLogs.load(result.logs_path)


@pytest.mark.parametrize("tool", ["benchmark_model", "litert_benchmark_model"])
def test_both_tools_really_measure_two_models_in_turns(tool, phone, tmp_path):
    emulated, device = phone
    runner = measuring.runner_for(device, tmp_path, tool, cpus="prime")
    models = measuring.models(tmp_path, "a", "b")
    results = runner.run(models, measuring.quick(), tmp_path / "out")
    for result in results:
        assert isinstance(result, benchmark.BenchmarkResult), result
        assert [x.source for x in result.launches] == [tool, tool]
        assert [x.num_runs for x in result.launches] == [5, 5]
        assert result.latency.num_samples == 10
        assert result.peak_memory_bytes > 10e6
        assert result.device.model == "Google Pixel-like (Google Tensor G3)"
        assert result.device.is_emulator
        assert result.runtime.startswith(f"{tool} ")
        prime = runner.description.clusters[-1].cpus
        assert result.options.cpus() == prime
        assert result.launches[0].state.cpus == prime
        logs = _logs(result)
        assert logs.device == runner.description
        assert all(x.log.command[0] == "taskset" for x in logs.launches)
        assert logs.launches[0].before.thermal_status == 0
    comparable.require_comparable(*results)
    starts = sorted(
        (launch.started_at, result.artifact.name)
        for result in results
        for launch in result.launches
    )
    assert {name for _, name in starts[:2]} == {"a", "b"}
    assert not list((tmp_path / "out" / "launches").iterdir())
    measuring.assert_clean(emulated)


def test_golden_vectors_are_replayed(phone, tmp_path):
    emulated, device = phone
    right, wrong = measuring.models(tmp_path, "right", "wrong")
    measuring.write_golden(right)
    measuring.write_golden(wrong, wrong=True)
    runner = measuring.runner_for(device, tmp_path)
    options = measuring.quick(check=True, launches=1)
    result, failure = runner.run([right, wrong], options, tmp_path / "out")
    assert result.check.reference == "golden vectors"
    assert result.check.description.startswith("1 of 1 examples within")
    assert "'wrong' computes something else on the device" in failure.message
    measuring.assert_clean(emulated)


def test_a_tool_without_input_files_checks_nothing(phone, tmp_path):
    _, device = phone
    (model,) = measuring.models(tmp_path, "a")
    measuring.write_golden(model)
    runner = measuring.runner_for(device, tmp_path, "litert_benchmark_model")
    options = measuring.quick(check=True, launches=1)
    (result,) = runner.run([model], options, tmp_path / "out")
    assert result.check.description == "not compared"
    assert "outputs are unchecked" in result.warnings[-1]


def test_a_hot_phone_is_waited_for(phone, tmp_path):
    emulated, device = phone
    emulated.climate.cooling_s = 1.0
    emulated.faults.throttle(41.0)
    gate = readiness.ThermalGate(timeout_s=30, poll_s=0.1)
    runner = measuring.runner_for(device, tmp_path, gate=gate)
    models = measuring.models(tmp_path, "a")
    options = measuring.quick(launches=1)
    (result,) = runner.run(models, options, tmp_path / "out")
    assert _logs(result).launches[0].before.thermal_status == 0


def test_a_phone_that_stays_hot_is_one_error(phone, tmp_path):
    emulated, device = phone
    emulated.climate.cooling_s = 1e6
    emulated.faults.throttle(44.0)
    gate = readiness.ThermalGate(timeout_s=0.3, poll_s=0.1)
    runner = measuring.runner_for(device, tmp_path, gate=gate)
    models = measuring.models(tmp_path, "a")
    with pytest.raises(
        device_errors.DeviceTimeoutError,
        match=r"thermal status 2 .* after 0\.3",
    ):
        runner.run(models, measuring.quick(), tmp_path / "out")
    measuring.assert_clean(emulated)


def test_a_throttled_launch_is_kept_and_done_again(phone, tmp_path):
    emulated, device = phone
    runner = measuring.runner_for(
        device, tmp_path, gate=readiness.ThermalGate(timeout_s=30, poll_s=0.1)
    )
    emulated.climate.cooling_s = 4.0
    options = measuring.quick(launches=1)
    (model,) = measuring.models(tmp_path, "a")
    with pytest.MonkeyPatch.context() as patch:
        launches = []
        original = runner._tool.run

        def run(name, arguments, **values):
            launches.append(arguments)
            output = original(name, arguments, **values)
            # The first is the memory launch.
            if len(launches) == 2:
                emulated.warm_up(50.0)
            return output

        patch.setattr(runner._tool, "run", run)
        (result,) = runner.run([model], options, tmp_path / "out")
    logs = _logs(result)
    assert len(logs.launches) == 1
    assert logs.launches[0].disturbances == ()
    assert len(logs.repeated) == 1
    assert "thermal status went from 0" in logs.repeated[0].disturbances[0]
    (warning,) = [x for x in result.warnings if "done again" in x]
    assert warning.startswith("A launch was done again: thermal status went")


def test_a_phone_that_is_not_fit_is_refused_unless_forced(phone, tmp_path):
    emulated, device = phone
    emulated.change(battery_percent=10, is_awake=False)
    models = measuring.models(tmp_path, "a")
    message = "battery is at 10%, below 20%.* screen is off.* --force"
    with pytest.raises(device_errors.DeviceNotReadyError, match=message):
        measuring.runner_for(device, tmp_path).run(
            models, measuring.quick(), tmp_path / "out"
        )
    measuring.assert_clean(emulated)
    forced = measuring.runner_for(device, tmp_path, force=True)
    with forced.held():
        pass


def test_two_measurements_of_one_phone_are_refused(phone, tmp_path):
    _, device = phone
    first = measuring.runner_for(device, tmp_path)
    second = measuring.runner_for(device, tmp_path)
    with (
        first.held(),
        pytest.raises(device_errors.DeviceNotReadyError, match="one process"),
        second.held(),
    ):
        pass


def test_delegates_are_told_and_required(phone, tmp_path):
    _, device = phone
    runner = measuring.runner_for(device, tmp_path)
    models = measuring.models(tmp_path, "a")
    with runner.held():
        options = measuring.quick(delegate="gpu", launches=1)
        (result,) = runner.run(models, options, tmp_path / "gpu")
        assert result.partitions == 1
        options = measuring.quick(
            delegate="nnapi", launches=1, require_full_delegation=True
        )
        (failure,) = runner.run(models, options, tmp_path / "nnapi")
    assert failure.message == (
        "A launch of 'a' failed: Disallowed CPU fallback detected."
    )


@pytest.mark.parametrize("tool", ["benchmark_model", "litert_benchmark_model"])
def test_operations_are_profiled_into_the_record_of_the_desktop(
    tool, phone, tmp_path
):
    emulated, device = phone
    runner = measuring.runner_for(device, tmp_path, tool)
    (model,) = measuring.models(tmp_path, "a")
    found = runner.profile(model, measuring.quick())
    (profile,) = found.profiles
    names = [op.name for op in profile.ops]
    assert names.count("Fully Connected (NC, F32) GEMM") == 2
    assert sum(op.share for op in profile.ops) == pytest.approx(1)
    assert found.operators == ("FULLY_CONNECTED", "FULLY_CONNECTED")
    assert found.delegation.left_out == ()
    measuring.assert_clean(emulated)


@pytest.mark.parametrize(
    ("conduct", "options", "message"),
    [
        ({"cpus": "medium"}, {}, "Received: cpus='medium'"),
        ({"cpus": "f0"}, {"cpu_mask": "1"}, "Received: cpus=f0, cpu_mask=1"),
        ({}, {"soak_s": 3.0}, "`soak_s` cannot be given to benchmark_model"),
        ({}, {"tool_flags": {"no": "1"}}, "without --no"),
    ],
    ids=["cluster", "two_masks", "soak", "unknown_flag"],
)
def test_rejects_what_cannot_be_done(
    conduct, options, message, phone, tmp_path
):
    emulated, device = phone
    models = measuring.models(tmp_path, "a")
    with pytest.raises(errors.InputError, match=re.escape(message)):
        measuring.runner_for(device, tmp_path, **conduct).run(
            models, measuring.quick(**options), tmp_path / "out"
        )
    measuring.assert_clean(emulated)


def test_a_program_of_another_kind_is_refused(phone, tmp_path):
    emulated, device = phone
    (tmp_path / "benchmark_model.py").write_text("#!/bin/sh\necho no\n")
    runner = measuring.runner_for(device, tmp_path)
    models = measuring.models(tmp_path, "a")
    with pytest.raises(errors.InputError, match="gave 0 and 'no'"):
        runner.run(models, measuring.quick(), tmp_path / "out")
    measuring.assert_clean(emulated)
