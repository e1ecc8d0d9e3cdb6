# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from android_bench import dry_run, runner, settings
from tflite_opt.records import artifact, benchmark, errors

_FLAGS = (
    "graph", "num_runs", "num_threads", "min_secs", "max_secs",
    "warmup_min_secs", "warmup_runs", "use_xnnpack", "use_gpu",
    "enable_op_profiling", "result_file_path",
)  # fmt: skip
_OPTIONS = benchmark.RuntimeOptions(launches=2)


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "tool"
    path.write_bytes(b"\x7fELF\0" + b"\0".join(x.encode() for x in _FLAGS))
    return path


@pytest.fixture
def models(tmp_path):
    found = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.tflite"
        path.write_text(name)
        found.append(artifact.describe(path, format="tflite"))
    return found


def test_all_launches_and_the_cleaning_up_are_told(program, models):
    options = dataclasses.replace(_OPTIONS, cpu_mask="f0")
    conduct = runner.Conduct(settings=settings.Settings(stay_awake=True))
    found = dry_run.commands("serial", models, options, conduct, program)
    assert all(x.startswith("adb -s serial ") for x in found)
    launches = [x for x in found if "taskset f0" in x]
    assert len(launches) == 4
    assert all("--use_xnnpack=true" in x for x in launches)
    assert sum(" push " in x for x in found) == 3
    assert any("put global stay_on_while_plugged_in 7" in x for x in found)
    undone = "settings delete global stay_on_while_plugged_in"
    assert any(x.endswith(f"'{undone}'") for x in found[-5:])
    assert "rm -rf" in found[-2]
    assert "rmdir" in found[-1]


def test_nothing_is_removed_that_shall_be_kept(program, models):
    conduct = runner.Conduct(keep=True)
    found = dry_run.commands("serial", models, _OPTIONS, conduct, program)
    removed = [x for x in found if "rm -rf" in x]
    assert not any(models[0].sha256[:16] in x for x in removed)


def test_what_the_tool_cannot_do_is_refused(program, models):
    options = dataclasses.replace(_OPTIONS, delegate="nnapi")
    with pytest.raises(errors.InputError, match="without --use_nnapi"):
        dry_run.commands("serial", models, options, runner.Conduct(), program)
