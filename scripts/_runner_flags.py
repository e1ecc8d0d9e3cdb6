# SPDX-License-Identifier: Apache-2.0
"""The flags that say what measures."""

import pathlib

from absl import flags

from tflite_opt.benchmark import desktop, tool_runner
from tflite_opt.records import benchmark, errors

_RUNNER = flags.DEFINE_enum(
    "runner",
    "desktop",
    ["desktop", "benchmark_model"],
    "desktop measures with raw samples; benchmark_model lets TFLite's or "
    "LiteRT's own tool of that name measure, or litert-benchmark.",
)
_BENCHMARK_BINARY = flags.DEFINE_string(
    "benchmark_binary", None, "The tool of --runner=benchmark_model."
)


def runner() -> benchmark.Runner:
    """Returns the Runner that the flags choose.

    Raises:
        InputError: If a tool is missing, unknown or of no use here.
    """
    binary = _BENCHMARK_BINARY.value
    if (_RUNNER.value == "benchmark_model") != (binary is not None):
        raise errors.InputError(
            "--benchmark_binary must be given with --runner=benchmark_model, "
            f"and only then. Received: runner={_RUNNER.value}, "
            f"benchmark_binary={binary}."
        )
    if binary is None:
        return desktop.DesktopRunner()
    return tool_runner.BenchmarkModelRunner(pathlib.Path(binary))
