# SPDX-License-Identifier: Apache-2.0
"""Measures the latency and memory of .tflite files on this machine.

    python -m scripts.benchmark runs/demo/artifacts/int8.tflite

Several files are measured with interleaved launches, so that they can be
compared. Raw samples are kept in --output_dir. Exit code 0 when all files were
measured, 1 when one could not be, 2 for bad input.
"""

from collections.abc import Sequence

from tflite_opt import stages
from tflite_opt.benchmark import desktop
from tflite_opt.report import benchmark_text

from . import _cli, _run_flags, _runtime_flags


def main(arguments: Sequence[str]) -> int:
    """Measures the given files."""
    artifacts = _cli.tflite_files(arguments)
    options = _runtime_flags.runtime_options()
    run = _run_flags.run()
    results = stages.measure(artifacts, desktop.DesktopRunner(), options, run)
    _cli.emit(
        [result.to_json() for result in results],
        f"{benchmark_text.table(results)}\n\nRecords: {run.path('benchmarks')}",
    )
    return 0 if len(results) == len(artifacts) else 1


if __name__ == "__main__":
    _cli.run(main)
