# SPDX-License-Identifier: Apache-2.0
r"""Measures the latency and memory of .tflite files on phones, over adb.

    python -m scripts.benchmark_android --benchmark_binary=litert:2.2.0 \
        --model=runs/demo/artifacts/float32.tflite \
        --model=runs/demo/artifacts/int8.tflite --all_devices

Launches of the models alternate, each from a cool phone; phones are measured
side by side. `scripts.compare`, `gate` and `report` take --output_dir as any
other run. Exit code 0 when all files were measured on all phones, 1 when one
could not be or computes something wrong, 2 for bad input or a phone that is
not fit.
"""

import dataclasses
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags

from tflite_opt import stages
from tflite_opt.records import artifact, benchmark, errors, run_directory
from tflite_opt.report import benchmark_text, devices_text

from . import (
    _android_flags,
    _benchmark_extras,
    _cli,
    _run_flags,
    _runner_flags,
    _runtime_flags,
)

if TYPE_CHECKING:
    from android_bench import runner as runner_lib

_MODEL = flags.DEFINE_multi_string(
    "model", None, "A .tflite file; repeatable.", required=True
)
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "Whether to print the adb commands and send none."
)
flags.set_default(_runner_flags.RUNNER, "android")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Measured:
    results: list[benchmark.BenchmarkResult]
    failures: list[benchmark.BenchmarkFailure]
    extras: _benchmark_extras.Extras


def main(arguments: Sequence[str]) -> int:
    """Measures the models on the phones."""
    from android_bench import fleet

    _cli.reject_positional(arguments)
    artifacts = _cli.tflite_files(
        _MODEL.value, must_be_valid=len(_MODEL.value) == 1
    )
    options = _runtime_flags.runtime_options()
    if _DRY_RUN.value:
        return _print_commands(artifacts, options)
    runners = _runner_flags.phones()
    run = _run_flags.run()
    # What ends a CI job shall clean up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    several = len(runners) > 1

    def measure(runner: "runner_lib.AndroidRunner") -> _Measured:
        key = runner.description.device_key
        return _measure(
            runner, artifacts, options, run, f"{key}/" if several else ""
        )

    outcomes = fleet.measure(runners, measure)
    found = [x for x in outcomes if isinstance(x, _Measured)]
    failed = [x for x in outcomes if isinstance(x, errors.TfliteOptError)]
    if not found:
        raise failed[0]
    _emit(found, failed, run)
    return 1 if failed or any(x.failures for x in found) else 0


def _measure(
    runner: "runner_lib.AndroidRunner",
    artifacts: Sequence[artifact.Artifact],
    options: benchmark.RuntimeOptions,
    run: run_directory.RunDirectory,
    folder: str,
) -> _Measured:
    with runner.held():
        results = stages.measure(artifacts, runner, options, run, folder)
        return _Measured(
            results=results,
            failures=stages.unmeasured(artifacts, run, folder),
            extras=_benchmark_extras.find(results, runner, run, folder),
        )


def _emit(
    found: Sequence[_Measured],
    failed: Sequence[errors.TfliteOptError],
    run: run_directory.RunDirectory,
) -> None:
    records, sections = [], []
    for item in found:
        records += [*item.results, *item.failures, *item.extras.records]
        table = benchmark_text.table(item.results, item.failures)
        sections += [table, *item.extras.texts]
    if len(found) > 1:
        results = [result for item in found for result in item.results]
        sections.append(devices_text.latencies(results))
    sections += [f"Not measured: {error}" for error in failed]
    _cli.emit(
        [record.to_json() for record in records],
        "\n\n".join([*sections, f"Records: {run.path('benchmarks')}"]),
    )


def _print_commands(
    artifacts: Sequence[artifact.Artifact], options: benchmark.RuntimeOptions
) -> int:
    from android_bench import dry_run

    _, devices = _android_flags.server_and_devices()
    found = [
        command
        for device in devices
        for command in dry_run.commands(
            device.serial,
            artifacts,
            options,
            _android_flags.conduct(),
            _android_flags.binary(device),
            _android_flags.libraries(),
        )
    ]
    _cli.emit(found, "\n".join(found))
    return 0


if __name__ == "__main__":
    _cli.run(main)
