# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from tflite_opt.benchmark import desktop
from tflite_opt.records import artifact, benchmark

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
    assert "'bad'" in failure.message
    assert isinstance(result, benchmark.BenchmarkResult)


def test_a_launch_that_takes_too_long_is_killed_and_said(models, tmp_path):
    options = dataclasses.replace(_QUICK, timeout_s=0.02)
    (failure,) = desktop.DesktopRunner().run(models[:1], options, tmp_path)
    assert "took longer than 0.02 s" in failure.message


def test_finished_launches_survive_an_interruption(
    models, tmp_path, monkeypatch
):
    measure = desktop._run_process
    calls = []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        measure(*arguments)

    monkeypatch.setattr(desktop, "_run_process", interrupted)
    with pytest.raises(KeyboardInterrupt):
        desktop.DesktopRunner().run(models, _QUICK, tmp_path)
    results = desktop.DesktopRunner().run(models, _QUICK, tmp_path)
    assert len(calls) == 4 + 1
    assert all(len(result.launches) == 2 for result in results)
    assert list((tmp_path / "launches").iterdir()) == []


def test_launches_of_other_options_are_not_reused(models, tmp_path):
    path = desktop._launch_path(models[0], _QUICK, tmp_path, 0)
    other = dataclasses.replace(_QUICK, num_threads=2)
    assert desktop._launch_path(models[0], other, tmp_path, 0) != path


@pytest.mark.parametrize(
    ("field", "value"),
    [("num_threads", 0), ("launches", 0), ("min_secs", -1.0)],
)
def test_rejects_options_out_of_range(field, value):
    with pytest.raises(ValueError, match=f"{field}={value}"):
        dataclasses.replace(_QUICK, **{field: value})


def test_the_device_key_tells_nothing_of_the_machine():
    device = desktop.describe_device()
    assert len(device.device_key) == 16
    assert device.num_cpus >= 1
