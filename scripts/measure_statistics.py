# SPDX-License-Identifier: Apache-2.0
"""Measures the coverage of intervals over launches, on simulated launches.

    python -m scripts.measure_statistics

Finished cells are kept in --folder; a missing one is printed as missing. Exit
code 0 when all cells are there, 1 when one is missing, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.studies import interval_coverage, study

from . import _cli

_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/statistics", "Records and the table go here."
)
_REPETITIONS = flags.DEFINE_integer(
    "repetitions", 4000, "Simulated experiments in a cell.", lower_bound=1
)
_RESAMPLES = flags.DEFINE_integer(
    "resamples", 1999, "Resamples of each bootstrap.", lower_bound=99
)
_SEED = flags.DEFINE_integer("seed", 0, "Of everything.", lower_bound=0)
_REDO = flags.DEFINE_boolean("redo", False, "Simulate finished cells again.")


def main(arguments: Sequence[str]) -> int:
    """Simulates the missing cells and writes the tables."""
    _cli.reject_positional(arguments)
    setup = interval_coverage.Setup(
        repetitions=_REPETITIONS.value,
        num_resamples=_RESAMPLES.value,
        seed=_SEED.value,
    )
    folder = pathlib.Path(_FOLDER.value)
    cells = interval_coverage.cells(setup)
    found = study.run(
        "statistics", cells, folder, rounds=setup.repetitions, redo=_REDO.value
    )
    text = study.write_table(
        interval_coverage.TITLE,
        found,
        folder,
        "python -m scripts.measure_statistics",
        lines=interval_coverage.describe(found),
    )
    records = [record.to_json() for record in found.values() if record]
    _cli.emit(records, text)
    return 0 if len(records) == len(cells) else 1


if __name__ == "__main__":
    _cli.run(main)
