# SPDX-License-Identifier: Apache-2.0
"""Writes the report of a run again, from its records alone.

    python -m scripts.report runs/demo

Writes report.html, report.md, report.png, results.csv and results.json into
the run's folder `report`; with --baseline=runs/before also comparison.html,
which shows both runs side by side. Needs neither TensorFlow nor the device
that was measured. Exit code 0 when there is a report, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.comparison import run_comparison
from tflite_opt.records import errors, run_directory
from tflite_opt.report import comparison_text, write

from . import _cli, _export_flags, _price_flags

_BASELINE = flags.DEFINE_string(
    "baseline", None, "An earlier run to compare with, side by side."
)


def main(arguments: Sequence[str]) -> None:
    """Reports on the given run."""
    if len(arguments) != 1:
        raise errors.InputError(
            "Give one run, the --output_dir of an earlier scripts.optimize. "
            f"Received: {' '.join(arguments) or 'none'}."
        )
    run = run_directory.RunDirectory.open(pathlib.Path(arguments[0]))
    content, paths = write.write_report(run, _price_flags.prices())
    texts = [write.to_text(content, paths)]
    texts += _export_flags.export(run, content, paths)
    if _BASELINE.value is not None:
        baseline = run_directory.RunDirectory.open(
            pathlib.Path(_BASELINE.value)
        )
        found, path = run_comparison.write(baseline, run)
        texts += [comparison_text.describe(found), f"Comparison: {path}"]
    _cli.emit(content.to_json(), "\n\n".join(texts))


if __name__ == "__main__":
    _cli.run(main)
