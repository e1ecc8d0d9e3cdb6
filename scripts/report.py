# SPDX-License-Identifier: Apache-2.0
"""Writes the report of a run again, from its records alone.

    python -m scripts.report --run=runs/demo

Needs neither TensorFlow nor the device that was measured. Exit code 0 when
there is a report, 2 for what is no run.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.records import run_directory
from tflite_opt.report import write

from . import _cli

_RUN = flags.DEFINE_string(
    "run", "runs/demo", "The --output_dir of an earlier run."
)


def main(arguments: Sequence[str]) -> None:
    """Reports on the run that the flags name."""
    _cli.reject_positional(arguments)
    run = run_directory.RunDirectory.open(pathlib.Path(_RUN.value))
    content, paths = write.write_report(run)
    _cli.emit(content.to_json(), write.to_text(content, paths))


if __name__ == "__main__":
    _cli.run(main)
