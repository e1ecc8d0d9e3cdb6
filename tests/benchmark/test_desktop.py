# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from tflite_opt.benchmark import desktop, launching, local_machine
from tflite_opt.records import artifact, benchmark, errors, golden

_QUICK = benchmark.RuntimeOptions(
    launches=2,
    warmup_runs=0,
    warmup_min_secs=0.0,
    num_runs=5,
    min_secs=0.0,
)


@pytest.fixture
def models(finished_run):
    return [
        artifact.describe(
            finished_run.path("artifacts", f"{name}.tflite"), format="tflite"
        )
        for name in ("float32", "int8")
    ]


def test_every_launch_is_a_process_of_its_own_with_raw_samples(
    models, tmp_path
):
    results = desktop.DesktopRunner().run(models, _QUICK, tmp_path)
    for result in results:
        assert len(result.launches) == 2
        with np.load(result.samples_path) as samples:
            assert [len(samples[name]) for name in samples.files] == [5, 5]
            assert all((samples[name] > 0).all() for name in samples.files)
        assert result.partitions == 1
        assert result.runtime.startswith("ai-edge-litert ")
        # LiteRT and numpy alone; TensorFlow would take 600 MB.
        assert 10e6 < result.peak_memory_bytes < 150e6


def test_the_delegate_can_be_switched_off(models, tmp_path):
    options = dataclasses.replace(_QUICK, delegate="none")
    (result,) = desktop.DesktopRunner().run(models[:1], options, tmp_path)
    assert result.partitions == 0


def test_a_file_that_cannot_run_does_not_stop_the_others(models, tmp_path):
    path = tmp_path / "bad.tflite"
    path.write_bytes(models[0].path.read_bytes()[:3000])
    bad = artifact.describe(path, format="tflite")
    failure, result = desktop.DesktopRunner().run(
        [bad, models[0]], _QUICK, tmp_path
    )
    assert isinstance(failure, benchmark.BenchmarkFailure)
    assert "bad.tflite" in failure.message
    assert isinstance(result, benchmark.BenchmarkResult)


def test_a_launch_that_takes_too_long_is_killed_and_said(models, tmp_path):
    options = dataclasses.replace(_QUICK, timeout_s=0.02)
    (failure,) = desktop.DesktopRunner().run(models[:1], options, tmp_path)
    assert "took longer than 0.02 s" in failure.message


def test_finished_launches_survive_an_interruption(
    models, tmp_path, monkeypatch
):
    launch = launching.launch
    calls = []

    def interrupted(job):
        calls.append(job)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return launch(job)

    monkeypatch.setattr(launching, "launch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        desktop.DesktopRunner().run(models, _QUICK, tmp_path)
    results = desktop.DesktopRunner().run(models, _QUICK, tmp_path)
    assert len(calls) == 4 + 1
    assert all(len(result.launches) == 2 for result in results)
    assert list((tmp_path / "launches").iterdir()) == []


def test_launches_of_other_options_are_not_reused(models, tmp_path):
    def path(options):
        session = desktop._Session(models, options, tmp_path)
        return session._path(models[0], "0")

    other = dataclasses.replace(_QUICK, num_threads=2)
    more = dataclasses.replace(_QUICK, launches=3)
    assert path(_QUICK) != path(other)
    assert path(_QUICK) == path(more)


def test_blocks_hold_each_model_once_in_random_order(
    models, tmp_path, monkeypatch
):
    order = []

    options = dataclasses.replace(_QUICK, launches=8, check=False)
    session = desktop._Session(models, options, tmp_path)
    session.prepare()
    monkeypatch.setattr(
        launching, "launch", lambda job: order.append(job.artifact.name) or b""
    )
    session.launch()
    blocks = [tuple(order[i : i + 2]) for i in range(0, 16, 2)]
    assert all(set(block) == {"float32", "int8"} for block in blocks)
    assert len(set(blocks)) == 2


def test_a_wrong_model_is_no_result(models, tmp_path):
    path = tmp_path / "int8.tflite"
    path.write_bytes(models[1].path.read_bytes())
    vectors = dict(np.load(golden.path_beside(models[1].path)))
    name = next(n for n in vectors if n.startswith("outputs/"))
    vectors[name] = vectors[name] + 1
    np.savez(golden.path_beside(path), **vectors)
    wrong = artifact.describe(path, format="tflite")
    (failure,) = desktop.DesktopRunner().run([wrong], _QUICK, tmp_path)
    assert isinstance(failure, benchmark.BenchmarkFailure)
    assert "something else than its golden vectors" in failure.message
    unchecked = dataclasses.replace(_QUICK, check=False)
    (result,) = desktop.DesktopRunner().run([wrong], unchecked, tmp_path)
    assert result.check is None


def test_outputs_are_compared_with_the_builtin_kernels_otherwise(
    models, tmp_path
):
    path = tmp_path / "float32.tflite"
    path.write_bytes(models[0].path.read_bytes())
    alone = artifact.describe(path, format="tflite")
    (result,) = desktop.DesktopRunner().run([alone], _QUICK, tmp_path)
    assert result.check.reference == "builtin kernels"
    assert "relative" in result.check.description


def test_several_interpreters_give_throughput_and_tail(models, tmp_path):
    options = dataclasses.replace(_QUICK, concurrency=2, num_threads=1)
    (result,) = desktop.DesktopRunner().run(models[:1], options, tmp_path)
    found = result.concurrent
    assert found.num_interpreters == 2
    assert found.throughput_per_s > 0
    assert found.p50_ms <= found.p95_ms <= found.p99_ms
    assert [launch.num_runs for launch in result.launches] == [10, 10]


def test_a_soak_lasts_as_long_as_asked_and_shows_windows(models, tmp_path):
    options = dataclasses.replace(_QUICK, launches=1, soak_s=0.4)
    (result,) = desktop.DesktopRunner().run(models[:1], options, tmp_path)
    assert result.drift[-1].end_s == pytest.approx(0.4, rel=0.3)
    assert 1 < len(result.drift) <= 4
    count = sum(window.num_samples for window in result.drift)
    assert count == result.launches[0].num_runs


def test_a_launch_tells_what_it_dropped_and_how_the_machine_was(
    models, tmp_path
):
    options = dataclasses.replace(_QUICK, warmup_runs=7, launches=1)
    (result,) = desktop.DesktopRunner().run(models[:1], options, tmp_path)
    (launch,) = result.launches
    assert launch.warmup_runs >= 8
    assert launch.is_steady is not None
    assert 0 < launch.timing_ns < 1e5
    assert 0 < launch.cpu_ms < launch.num_runs * 1e3
    assert launch.resident_memory_bytes <= launch.peak_memory_bytes
    assert launch.state.cpus == local_machine.usable_cpus()


def test_a_mask_keeps_a_launch_on_its_cpus(models, tmp_path):
    cpu = local_machine.usable_cpus()[0]
    options = dataclasses.replace(
        _QUICK, cpu_mask=f"{1 << cpu:x}", launches=1, num_threads=2
    )
    (result,) = desktop.DesktopRunner().run(models[:1], options, tmp_path)
    assert result.launches[0].state.cpus == (cpu,)
    assert "2 threads on 1 CPUs." in result.warnings


def test_refuses_cpus_that_are_not_there(models, tmp_path):
    options = dataclasses.replace(_QUICK, cpu_mask="1000000000000000")
    with pytest.raises(errors.InputError, match="CPU 60"):
        desktop.DesktopRunner().run(models, options, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"delegate": "gpu"},
        {"require_full_delegation": True},
        {"tool_flags": {"gpu_backend": "cl"}},
    ],
    ids=["delegate", "require_full_delegation", "tool_flags"],
)
def test_refuses_what_only_a_tool_can_do(change, models, tmp_path):
    options = dataclasses.replace(_QUICK, **change)
    with pytest.raises(errors.InputError, match="need a tool"):
        desktop.DesktopRunner().run(models, options, tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_threads", 0),
        ("launches", 0),
        ("min_secs", -1.0),
        ("concurrency", 0),
        ("run_delay", -0.5),
        ("max_secs", 0.0),
        ("cpu_mask", "cpu0"),
        ("cpu_mask", "0"),
    ],
)
def test_rejects_options_out_of_range(field, value):
    with pytest.raises(ValueError, match=f"{field}={value!r}"):
        dataclasses.replace(_QUICK, **{field: value})


def test_the_device_key_tells_nothing_of_the_machine():
    device = desktop.describe_device()
    assert len(device.device_key) == 16
    assert device.num_cpus >= 1
