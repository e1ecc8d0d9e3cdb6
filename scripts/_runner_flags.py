# SPDX-License-Identifier: Apache-2.0
"""The flags that say what measures."""

import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from tflite_opt.benchmark import desktop, op_profiling, tool_runner
from tflite_opt.records import benchmark, errors, op_profile

from . import _android_flags

if TYPE_CHECKING:
    from android_bench import runner as android_runner

_ANDROID = ("android", "apk")
RUNNER = flags.DEFINE_enum(
    "runner",
    "desktop",
    ["desktop", "benchmark_model", *_ANDROID],
    "desktop measures with raw samples; benchmark_model lets TFLite's or "
    "LiteRT's own tool of that name measure, or litert-benchmark; android "
    "does so on a phone, apk with TFLite's app.",
)


def runner() -> benchmark.Runner:
    """Returns the Runner that the flags choose.

    Raises:
        InputError: If a tool is missing, unknown or of no use here.
        DeviceError: If the phone cannot be used.
    """
    kind, binary = RUNNER.value, _android_flags.BENCHMARK_BINARY.value
    if kind in _ANDROID:
        return _only(phones())
    if (kind == "benchmark_model") != (binary is not None):
        raise errors.InputError(
            "--benchmark_binary must be given with --runner=benchmark_model or "
            f"on a phone, and only then. Received: runner={kind}, "
            f"benchmark_binary={binary}."
        )
    if binary is None:
        return desktop.DesktopRunner()
    return tool_runner.BenchmarkModelRunner(pathlib.Path(binary))


def phones() -> "list[android_runner.AndroidRunner]":
    """Returns a Runner for each phone that the flags choose.

    Raises:
        InputError: If a tool is missing or of no use on it.
        DeviceError: If a phone cannot be used.
    """
    if RUNNER.value not in _ANDROID:
        raise errors.InputError(
            "What measures on a phone must be android or apk. "
            f"Received: runner={RUNNER.value}."
        )
    return _android_flags.runners(RUNNER.value)


def _only(runners: Sequence[benchmark.Runner]) -> benchmark.Runner:
    if len(runners) > 1:
        raise errors.InputError(
            "This program measures on one phone. Received: "
            f"{len(runners)} of them. Give one --serial, or take "
            "scripts.benchmark_android."
        )
    return runners[0]


def profile(
    used: benchmark.Runner,
    result: benchmark.BenchmarkResult,
    directory: pathlib.Path,
) -> op_profile.ProfiledModel:
    """Returns an op profile from where a result was measured.

    Raises:
        BenchmarkError: If there is none to get.
    """
    if RUNNER.value not in _ANDROID:
        return op_profiling.profile(result, directory)
    from android_bench import runner

    if not isinstance(used, runner.AndroidRunner):
        raise TypeError(type(used).__name__)
    return used.profile(result.artifact, result.options)


def require_this_machine(flag: str) -> None:
    """Refuses a flag that says something about this machine only.

    Raises:
        InputError: If a phone measures.
    """
    if RUNNER.value in _ANDROID:
        raise errors.InputError(
            f"--{flag} measures this machine. Received: "
            f"runner={RUNNER.value}. Leave it out."
        )
