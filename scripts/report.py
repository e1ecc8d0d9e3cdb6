# SPDX-License-Identifier: Apache-2.0
"""Writes the report of a run again, from its records alone.

    python -m scripts.report runs/demo

Writes report.html, report.md, report.png, results.csv and results.json into
the run's folder `report`. Needs neither TensorFlow nor the device that was
measured. Exit code 0 when there is a report, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from tflite_opt.records import errors, run_directory
from tflite_opt.report import write

from . import _cli


def main(arguments: Sequence[str]) -> None:
    """Reports on the given run."""
    if len(arguments) != 1:
        raise errors.InputError(
            "Give one run, the --output_dir of an earlier scripts.optimize. "
            f"Received: {' '.join(arguments) or 'none'}."
        )
    run = run_directory.RunDirectory.open(pathlib.Path(arguments[0]))
    content, paths = write.write_report(run)
    _cli.emit(content.to_json(), write.to_text(content, paths))


if __name__ == "__main__":
    _cli.run(main)
