# SPDX-License-Identifier: Apache-2.0
import functools
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.android_bench import measuring
from tests.emulated_device import programs as tools
from tests.emulated_device.fixtures import (  # noqa: F401
    adb,
    make_phones,
    phones,
)
from tests.scripts import programs
from tflite_opt.records import android_launch, files, golden
from tflite_opt.tflite import golden as golden_vectors

_QUICK = (
    "--launches=2",
    "--num_runs=5",
    "--min_secs=0",
    "--warmup_runs=0",
    "--warmup_min_secs=0",
)
_VARIANTS = ("float32", "float16", "dynamic_range", "int8")


@pytest.fixture
def tool(tmp_path):
    return tools.write_benchmark_model(tmp_path / "benchmark_model")


def _environment(phones):  # noqa: F811
    return phones.adb.environment | {
        "HOME": phones.adb.environment["HOME"],
        "PATH": os.environ["PATH"],
    }


def _run(phones, program, *arguments):  # noqa: F811
    environment = _environment(phones)
    return programs.run(program, *arguments, environment=environment)


def _variants(run, folder):
    """Copies the variants of a run, with one golden vector for each."""
    found = []
    for name in _VARIANTS:
        path = folder / f"{name}.tflite"
        shutil.copy(run.path("artifacts", path.name), path)
        beside = golden.path_beside(path)
        vectors = golden_vectors.read(
            golden.path_beside(run.path("artifacts", path.name))
        )
        golden_vectors.write(
            path,
            golden_vectors.Reference(
                inputs=vectors.inputs,
                outputs=vectors.outputs,
                labels=None,
                preprocessing="",
                original_sha256="0" * 64,
            ),
            destination=beside,
            num_examples=1,
        )
        found.append(path)
    return found


def test_the_whole_path_on_two_phones(
    finished_run,
    phones,  # noqa: F811
    tool,
    tmp_path,
):
    variants = _variants(finished_run, tmp_path)
    hot = phones[0]
    hot.climate.cooling_s = 2.0
    hot.faults.throttle(41.0)
    out = tmp_path / "out"
    done = _run(
        phones,
        "benchmark_android",
        *(f"--model={path}" for path in variants),
        f"--benchmark_binary={tool}",
        "--all_devices",
        "--cool_poll_s=0.1",
        "--op_profile",
        f"--output_dir={out}",
        *_QUICK,
    )
    assert done.returncode == 0, done.stderr
    for emulated in phones.phones:
        measuring.assert_clean(emulated)
        assert f"{emulated.model}" in done.stdout
    tables = done.stdout.split("\n\n")
    (overall,) = [x for x in tables if x.startswith("median ms")]
    assert len(overall.splitlines()) == 2 + len(_VARIANTS)
    assert "golden vectors" in done.stdout
    assert "XNNPACK runs" in done.stdout
    folders = sorted(x for x in (out / "benchmarks").iterdir() if x.is_dir())
    assert len(folders) == 2
    for folder in folders:
        for name in _VARIANTS:
            logs = android_launch.AndroidLogs.load(folder / f"{name}.logs.json")
            assert all(x.before.thermal_status == 0 for x in logs.launches)
    assert len(list((out / "op_profiles").rglob("*.png"))) == 8
    _compare_and_gate(phones, tool, out, folders, tmp_path)


def _compare_and_gate(phones, tool, out, folders, tmp_path):  # noqa: F811
    first, second = folders
    stored = (str(first / "float32.json"), str(first / "int8.json"))
    done = _run(phones, "compare", *stored)
    # Two launches are too few for an interval.
    assert done.returncode == 3, done.stderr
    assert "int8 against float32" in done.stdout
    done = _run(phones, "compare", stored[0], str(second / "float32.json"))
    programs.assert_one_error_line(done, "device.device_key=")
    budget = tmp_path / "budget.yaml"
    budget.write_text(
        "models: {int8: {latency_ms: [{max: 1 us, device: '*Pixel*'}], "
        "partitions: 1}}"
    )
    done = _run(
        phones,
        "gate",
        f"--budget={budget}",
        f"--results={out}",
        "--inconclusive=fail",
    )
    assert done.returncode == 1, done.stderr
    for emulated in phones.phones:
        assert emulated.model in done.stdout


def test_a_pipeline_measures_on_a_phone(
    copied_run,
    phones,  # noqa: F811
    tool,
):
    done = _run(
        phones,
        "optimize",
        "--recipes=float32,float16,dynamic_range,int8,int4",
        "--num_calibration=100",
        "--runner=android",
        f"--benchmark_binary={tool}",
        f"--serial={phones[0].serial}",
        "--nocheck",
        "--resume",
        f"--output_dir={copied_run.root}",
        *_QUICK[1:],
        "--launches=1",
    )
    assert done.returncode == 0, done.stderr
    text = copied_run.path("report", "report.md").read_text()
    assert "Pixel-like" in text
    assert "benchmark_model" in text
    measuring.assert_clean(phones[0])


def test_an_official_build_is_downloaded_for_the_phone(
    phones,  # noqa: F811
    tool,
    tmp_path,
):
    (model,) = measuring.models(tmp_path, "a")
    place = tmp_path / "site" / "2.2.0" / "android_arm64" / "benchmark_model"
    place.parent.mkdir(parents=True)
    shutil.copy(tool, place)
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=tmp_path / "site"
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, args=(0.01,)).start()
        done = _run(
            phones,
            "benchmark_android",
            f"--model={model.path}",
            "--benchmark_binary=litert:2.2.0",
            f"--binary_url=http://127.0.0.1:{site.server_port}",
            f"--serial={phones[1].serial}",
            "--output=json",
            f"--output_dir={tmp_path / 'out'}",
            *_QUICK,
        )
        site.shutdown()
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    sha256 = files.sha256_of_file(tool)
    assert found["runtime"] == f"benchmark_model {sha256[:12]}"
    logs = tmp_path / "out" / "benchmarks" / "a.logs.json"
    assert android_launch.AndroidLogs.load(logs).binary_sha256 == sha256


def test_devices_are_listed_with_what_keeps_them_from_measuring(
    phones,  # noqa: F811
):
    phones[1].change(battery_percent=5)
    done = _run(phones, "android_devices")
    assert done.returncode == 1, done.stderr
    lines = {x.split()[0]: x for x in done.stdout.splitlines()[2:]}
    assert lines[phones[0].serial].endswith("yes")
    assert lines[phones[1].serial].endswith(
        "The battery is at 5%, below 20%; charge it."
    )
    phones[1].faults.unauthorized()
    time.sleep(0.5)
    done = _run(phones, "android_devices", "--output=json")
    found = {x["serial"]: x for x in json.loads(done.stdout)}
    fit, unfit = (found[x.serial] for x in phones.phones)
    assert fit["is_fit"]
    assert fit["device"]["model"] == "Pixel-like"
    assert not unfit["is_fit"]
    assert unfit["state"] != "device"


def test_a_dry_run_sends_nothing(
    phones,  # noqa: F811
    tool,
    tmp_path,
):
    (model,) = measuring.models(tmp_path, "a")
    tool.write_text(tool.read_text() + "# " + " ".join(_DRY_FLAGS) + "\n")
    before = phones[0].commands()
    done = _run(
        phones,
        "benchmark_android",
        f"--model={model.path}",
        f"--benchmark_binary={tool}",
        f"--serial={phones[0].serial}",
        "--dry_run",
        *_QUICK,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sum("--num_runs=5" in x for x in lines) == 2
    assert phones[0].commands() == before


_DRY_FLAGS = (
    "graph", "num_runs", "num_threads", "min_secs", "max_secs",
    "warmup_min_secs", "warmup_runs", "use_xnnpack", "enable_op_profiling",
)  # fmt: skip


def test_a_job_that_is_ended_cleans_up(
    phones,  # noqa: F811
    tool,
    tmp_path,
):
    (model,) = measuring.models(tmp_path, "a")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "scripts.benchmark_android",
            f"--model={model.path}",
            f"--benchmark_binary={tool}",
            "--all_devices",
            "--fixed_performance",
            "--launches=50",
            "--num_runs=1000000000",
            "--max_secs=100",
            f"--output_dir={tmp_path / 'out'}",
        ],
        cwd=programs.ROOT,
        env=_environment(phones),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not all(
        any("--num_runs=1000000000" in x for x in emulated.commands())
        for emulated in phones.phones
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.splitlines()[-1] == "error: Interrupted."
    assert stdout == ""
    for emulated in phones.phones:
        measuring.assert_clean(emulated)


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (["--serial=x"], ["--benchmark_binary must name", "litert:2.2.0"]),
        (["--benchmark_binary=b", "--serial=x"], ["serial='x'", "Connected:"]),
        (["--benchmark_binary=b"], ["said which", "--all_devices"]),
        (
            ["--benchmark_binary=/no/b", "--all_devices"],
            ["'/no/b', which is not there"],
        ),
        (
            ["--benchmark_binary=litert:2", "--all_devices"],
            ["litert:VERSION", "'litert:2'"],
        ),
        (["--runner=desktop"], ["android or apk", "runner=desktop"]),
        (["--tool_flags=x"], ["NAME=VALUE"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_bad_input_is_one_line(
    flags,
    parts,
    phones,  # noqa: F811
    tmp_path,
):
    (model,) = measuring.models(tmp_path, "a")
    done = _run(
        phones,
        "benchmark_android",
        f"--model={model.path}",
        f"--output_dir={tmp_path / 'out'}",
        *flags,
    )
    programs.assert_one_error_line(done, *parts)


def test_one_phone_is_chosen_for_other_programs(
    phones,  # noqa: F811
    tool,
    tmp_path,
):
    (model,) = measuring.models(tmp_path, "a")
    done = _run(
        phones,
        "benchmark",
        str(model.path),
        "--runner=android",
        f"--benchmark_binary={tool}",
        "--all_devices",
    )
    programs.assert_one_error_line(done, "on one phone", "benchmark_android")
