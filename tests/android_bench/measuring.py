# SPDX-License-Identifier: Apache-2.0
"""What tests need that measure on emulated phones."""

import dataclasses

import numpy as np

from android_bench import runner, shell_tool
from tests.emulated_device import programs, small_model
from tflite_opt.records import artifact, benchmark
from tflite_opt.tflite import golden, interpreter

QUICK = benchmark.RuntimeOptions(
    launches=2,
    warmup_runs=0,
    warmup_min_secs=0.0,
    num_runs=5,
    min_secs=0.0,
    timeout_s=30.0,
    check=False,
)
SETTINGS_BEFORE = {
    "low_power": "0",
    "airplane_mode_on": "0",
    "stay_on_while_plugged_in": "0",
}


def models(folder, *names):
    """Returns small models that take some microseconds."""
    found = []
    for seed, name in enumerate(names):
        path = small_model.write(folder / f"{name}.tflite", seed)
        found.append(artifact.describe(path, format="tflite"))
    return found


def runner_for(device, folder, tool="benchmark_model", **conduct):
    """Returns a Runner with an emulated tool."""
    path = folder / f"{tool}.py"
    if not path.exists():
        programs.write_benchmark_model(path, tool)
    used = shell_tool.ShellTool(device, path)
    return runner.AndroidRunner(device, used, runner.Conduct(**conduct))


def write_golden(item, *, wrong=False, num_examples=1):
    """Writes golden vectors beside a model; wrong ones are never met."""
    size = small_model.SIZE
    random = np.random.default_rng(7)
    inputs = {"x": random.normal(size=(num_examples, size)).astype("float32")}
    outputs = interpreter.predict(item.path, inputs)
    golden.write(
        item.path,
        golden.Reference(
            inputs=inputs,
            outputs=outputs,
            labels=None,
            preprocessing="none",
            original_sha256="0" * 64,
        ),
        num_examples=num_examples,
    )
    if wrong:
        # As an app that feeds something else.
        vectors = golden.read(item.path.with_suffix(".golden.npz"))
        _rewrite(item, vectors)


def _rewrite(item, vectors):
    from tflite_opt.records import files

    path = item.path.with_suffix(".golden.npz")
    arrays = files.read_npz(path)
    arrays["inputs/x"] = -arrays["inputs/x"]
    files.write_npz(path, arrays)


def assert_clean(phone):
    """Checks that nothing of a measurement is left on a phone."""
    assert phone.files() == []
    assert phone.processes() == []
    assert phone.settings() == SETTINGS_BEFORE
    assert not phone.has_fixed_performance()


def quick(**changes):
    """Returns options that are done soon."""
    return dataclasses.replace(QUICK, **changes)
