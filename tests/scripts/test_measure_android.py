# SPDX-License-Identifier: Apache-2.0
from tests.android_bench import measuring
from tests.emulated_device import programs as tools
from tests.emulated_device.fixtures import (  # noqa: F401
    adb,
    make_phones,
)
from tests.scripts import programs
from tflite_opt.records import measurement


def test_both_cells_are_measured_and_kept(make_phones, tmp_path):  # noqa: F811
    phones = make_phones(1)
    (model,) = measuring.models(tmp_path, "a")
    folder = tmp_path / "study"
    arguments = (
        f"--benchmark_binary={tools.write_benchmark_model(tmp_path / 'tool')}",
        f"--model={model.path}",
        f"--folder={folder}",
        "--rounds=1",
        "--pushed_mb=1",
    )
    environment = phones.adb.environment
    done = programs.run("measure_android", *arguments, environment=environment)
    assert done.returncode == 0, done.stderr
    push = measurement.Measurement.load(folder / "push.json")
    assert push.values["megabytes"] == 1
    assert push.values["ours_s"] > 0
    launch = measurement.Measurement.load(folder / "launch.json")
    assert launch.values["period_s"] > launch.values["tool_alone_s"] / 2
    measuring.assert_clean(phones[0])
    again = programs.run("measure_android", *arguments, environment=environment)
    assert "launch: kept from" in again.stderr


def test_a_study_without_a_tool_is_one_line(tmp_path):
    (model,) = measuring.models(tmp_path, "a")
    done = programs.run("measure_android", f"--model={model.path}")
    programs.assert_one_error_line(done, "benchmark_binary=None")
