# SPDX-License-Identifier: Apache-2.0
"""Measures the latency and memory of .tflite files, by default here.

    python -m scripts.benchmark runs/demo/artifacts/*.tflite

Several files are measured with interleaved launches, so that they can be
compared; numbers of threads one after another. Raw samples are kept in
--output_dir. Exit code 0 when all files were measured, 1 when one could not be
or computes something wrong, 2 for bad input.
"""

from collections.abc import Sequence

from absl import flags

from tflite_opt import stages
from tflite_opt.report import benchmark_text

from . import (
    _benchmark_extras,
    _cli,
    _entry_flags,
    _run_flags,
    _runner_flags,
    _runtime_flags,
)

_CONCURRENCY = flags.DEFINE_integer(
    "concurrency",
    1,
    "Interpreters that run at the same time in one process: throughput and "
    "tail latency.",
)
_SOAK_S = flags.DEFINE_float(
    "soak_s", 0.0, "Seconds a launch lasts to show drift; one launch."
)


def main(arguments: Sequence[str]) -> int:
    """Measures the given files."""
    sweep = [
        _benchmark_extras.with_load(
            _entry_flags.with_entry(options), _CONCURRENCY.value, _SOAK_S.value
        )
        for options in _runtime_flags.runtime_sweep()
    ]
    runner = _runner_flags.runner()
    artifacts = _cli.tflite_files(arguments, must_be_valid=len(arguments) == 1)
    run = _run_flags.run()
    results, failures = [], []
    for options in sweep:
        folder = f"threads_{options.num_threads}/" if len(sweep) > 1 else ""
        results += stages.measure(artifacts, runner, options, run, folder)
        failures += stages.unmeasured(artifacts, run, folder)
    extras = _benchmark_extras.find(results, runner, run)
    records = [*results, *failures, *extras.records]
    sections = [benchmark_text.table(results, failures), *extras.texts]
    _cli.emit(
        [record.to_json() for record in records],
        "\n\n".join([*sections, f"Records: {run.path('benchmarks')}"]),
    )
    return 1 if failures else 0


if __name__ == "__main__":
    _cli.run(main)
