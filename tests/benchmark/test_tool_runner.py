# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
import os
import pathlib
import re
import sys
import time

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.emulated_device import programs
from tests.tflite import handmade
from tflite_opt.benchmark import tool_launches, tool_runner
from tflite_opt.records import artifact, benchmark, errors, tool_output

_OUTPUTS = pathlib.Path(__file__).parent / "tool_outputs"
_LITERT_BENCHMARK = pathlib.Path(sys.executable).with_name("litert-benchmark")
_SIZE = 1024
_QUICK = benchmark.RuntimeOptions(
    launches=2,
    warmup_runs=2,
    warmup_min_secs=0.0,
    num_runs=20,
    min_secs=0.0,
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Returns a model that takes more than the tools' smallest step."""
    random = np.random.default_rng(0)
    net = handmade.Builder()
    x = net.tensor((1, _SIZE), name="x")
    weights = random.normal(size=(_SIZE, _SIZE)).astype(np.float32)
    kernel = net.tensor(weights.shape, name="kernel", values=weights)
    y = net.tensor((1, _SIZE), name="y")
    net.operator(
        "FULLY_CONNECTED",
        (x, kernel, -1),
        (y,),
        options=schema.FullyConnectedOptionsT(),
    )
    net.ends((x,), (y,))
    net.signature("serving_default", {"x": x}, {"y": y})
    path = net.save(tmp_path_factory.mktemp("models") / "dense.tflite")
    return artifact.describe(path, format="tflite")


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Writes a tool that works, or goes wrong as told."""
    state = tmp_path / "state"
    (state / "computing").mkdir(parents=True)
    monkeypatch.setenv("EMULATED_STATE", str(state))

    def write(tool="benchmark_model", fault=None):
        faults = [fault] * _QUICK.launches if fault else []
        (state / "tool_faults").write_text(json.dumps(faults))
        return programs.write_benchmark_model(tmp_path / tool, tool)

    return write


def _run(binary, models, folder, options=_QUICK):
    runner = tool_runner.BenchmarkModelRunner(binary)
    return runner.run(models, options, folder)


@pytest.mark.parametrize("name", ["benchmark_model", "litert_benchmark_model"])
def test_both_tools_really_measure_a_model(name, tool, model, tmp_path):
    (result,) = _run(tool(tool=name), [model], tmp_path)
    assert len(result.launches) == 2
    for launch in result.launches:
        assert launch.source == name
        assert launch.warmup_runs == 3
        assert launch.num_runs == launch.summary.count == 20
        assert launch.summary.min_ms <= launch.median_ms
        assert launch.median_ms <= launch.summary.max_ms
        assert launch.peak_memory_bytes is None
        # Not zero, as it would be after the memory of these tests.
        assert launch.model_memory_bytes > 1e6
    latency = result.latency
    assert latency.num_samples == 40
    assert latency.min_ms <= latency.median_ms
    assert latency.p90_ms is None
    assert latency.p99_ms is None
    assert result.samples_path is None
    assert result.runtime.startswith(f"{name} ")
    assert result.warnings == (
        "Inputs were the tool's own, other random ones in each launch.",
    )


def test_both_streams_and_the_command_are_kept(tool, model, tmp_path):
    binary = tool(tool="litert_benchmark_model")
    (result,) = _run(binary, [model], tmp_path)
    logs = tool_output.ToolLogs.load(result.logs_path)
    assert len(logs.launches) == 2
    assert result.evidence == (result.logs_path,)
    for log, launch in zip(logs.launches, result.launches, strict=True):
        assert log.command[0] == str(binary)
        assert "--num_runs=20" in log.command
        assert "count=20" in log.stdout
        assert "BENCHMARK RESULTS" in log.stderr
        assert tool_launches.read_log(log) == launch
    assert list((tmp_path / "launches").iterdir()) == []
    stored = tmp_path / "result.json"
    result.save(stored)
    assert benchmark.BenchmarkResult.load(stored) == result


def test_it_runs_on_the_cpus_it_was_given(tool, model, tmp_path):
    cpu = min(os.sched_getaffinity(0))
    options = dataclasses.replace(_QUICK, cpu_mask=f"{1 << cpu:x}", launches=1)
    (result,) = _run(tool(), [model], tmp_path, options)
    assert len(result.launches) == 1
    (log,) = tool_output.ToolLogs.load(result.logs_path).launches
    assert log.command[:2] == ("taskset", options.cpu_mask)


def test_the_delegate_is_switched_and_told(tool, model, tmp_path):
    binary = tool()
    (result,) = _run(binary, [model], tmp_path)
    assert result.partitions == 1
    options = dataclasses.replace(_QUICK, delegate="none")
    (result,) = _run(binary, [model], tmp_path, options)
    assert result.partitions is None
    logs = tool_output.ToolLogs.load(result.logs_path)
    assert "--use_xnnpack=false" in logs.launches[0].command


def test_an_old_tool_has_no_median_and_none_is_made_up(tool, model, tmp_path):
    (result,) = _run(tool(fault="old_form"), [model], tmp_path)
    assert result.latency.median_ms is None
    assert result.latency.median_low_ms is None
    assert result.latency.min_ms > 0
    assert "The tool prints no medians." in result.warnings
    with pytest.raises(errors.InputError, match="Take a newer benchmark_model"):
        _ = result.median_ms


def test_a_launch_that_is_there_is_not_repeated(tool, model, tmp_path):
    one = dataclasses.replace(_QUICK, launches=1)
    runner = tool_runner.BenchmarkModelRunner(tool())
    path = tool_launches.path_of(tmp_path, model, runner.identity, one, 0)
    runner._launch_once(model, one, path)
    log = tool_output.ToolLog.load(path)
    (result,) = runner.run([model], one, tmp_path)
    assert result.launches[0].started_at == log.started_at


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("crash", "crashed with signal 6"),
        ("silence", r"not that of a benchmark_model\. Received: 'INFO"),
        ("contradiction", r"avg_ms=\S+ printed, \S+ written"),
        ("ignored_flag", r"ignores others\. Received: --max_secs=10\.0\."),
    ],
    ids=["crash", "silence", "contradiction", "ignored_flag"],
)
def test_a_tool_that_goes_wrong_is_a_failure(
    fault, message, tool, model, tmp_path
):
    (failure,) = _run(tool(fault=fault), [model], tmp_path)
    assert isinstance(failure, benchmark.BenchmarkFailure)
    assert re.search(message, failure.message)
    assert "'dense'" in failure.message


def test_a_tool_that_hangs_is_killed(tool, model, tmp_path):
    options = dataclasses.replace(_QUICK, timeout_s=1.0)
    (failure,) = _run(tool(fault="hang"), [model], tmp_path, options)
    assert "took longer than 1 s" in failure.message
    (marker,) = (tmp_path / "state" / "computing").iterdir()
    deadline = time.monotonic() + 5
    while pathlib.Path(f"/proc/{marker.name}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_model_that_fails_says_why_and_does_not_stop_others(
    tool, model, tmp_path
):
    path = tmp_path / "bad.tflite"
    path.write_bytes(model.path.read_bytes()[:3000])
    bad = artifact.describe(path, format="tflite")
    failure, result = _run(tool(), [bad, model], tmp_path)
    assert failure.message == (
        f"A launch of 'bad' failed: Failed to load model {path}"
    )
    assert isinstance(result, benchmark.BenchmarkResult)


def test_the_program_of_the_wheel_is_a_third_tool(model, tmp_path):
    options = benchmark.RuntimeOptions(launches=1, num_runs=20)
    (result,) = _run(_LITERT_BENCHMARK, [model], tmp_path, options)
    (launch,) = result.launches
    assert launch.source == "litert_benchmark"
    assert launch.num_runs == 20
    assert launch.model_memory_bytes is None
    assert launch.partitions is None


def test_hundredths_of_milliseconds_are_warned_of_or_refused():
    stdout = (_OUTPUTS / "litert_python.txt").read_text()

    def launch(text):
        return tool_launches.read_log(
            tool_output.ToolLog(
                command=(), started_at="", stdout=text, stderr=""
            )
        )

    (_, warning) = tool_launches._warnings([launch(stdout)])
    assert "steps of 100% of this median" in warning
    with pytest.raises(errors.BenchmarkError, match=r"median_ms=0\.0\. Take"):
        launch(stdout.replace("(median):    0.01", "(median):    0.00"))
