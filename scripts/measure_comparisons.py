# SPDX-License-Identifier: Apache-2.0
"""Measures how often a comparison is right: A against A, and against slower.

    python -m scripts.measure_comparisons

Each comparison is kept in --folder when it is finished, and an interrupted
study goes on with the next one; a missing one is printed as missing. Exit code
0 when all are there, 1 when one is missing, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.comparison import compare
from tflite_opt.studies import comparison_verdicts, study

from . import _cli, _runtime_flags

_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/comparisons", "Records and the table go here."
)
_WORK_DIR = flags.DEFINE_string(
    "work_dir", "runs/measure_comparisons", "The two models are kept here."
)
_AGAINST_ITSELF = flags.DEFINE_integer(
    "against_itself", 300, "Comparisons of A with A.", lower_bound=0
)
_AGAINST_SLOWER = flags.DEFINE_integer(
    "against_slower", 100, "Comparisons with 5 % more work.", lower_bound=0
)
_MARGIN = flags.DEFINE_float(
    "margin", compare.Options().margin, "As in scripts.compare."
)
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")


def main(arguments: Sequence[str]) -> int:
    """Makes the missing comparisons and writes the table."""
    _cli.reject_positional(arguments)
    margin = compare.Options(margin=_MARGIN.value).margin
    options = _runtime_flags.runtime_options()
    work_dir = pathlib.Path(_WORK_DIR.value).resolve()
    baseline, slower = comparison_verdicts.prepare_in_child(work_dir)
    setup = comparison_verdicts.Setup(
        baseline=baseline,
        slower=slower,
        options=options,
        margin=margin,
        comparisons={
            comparison_verdicts.AGAINST_ITSELF: _AGAINST_ITSELF.value,
            comparison_verdicts.AGAINST_SLOWER: _AGAINST_SLOWER.value,
        },
    )
    folder = pathlib.Path(_FOLDER.value)
    cells = comparison_verdicts.cells(setup)
    found = study.run(
        "comparisons",
        cells,
        folder,
        rounds=options.launches,
        redo=_REDO.value,
    )
    text = study.write_table(
        comparison_verdicts.TITLE,
        found,
        folder,
        "python -m scripts.measure_comparisons",
        lines=comparison_verdicts.describe(found),
    )
    records = [record.to_json() for record in found.values() if record]
    _cli.emit(records, text)
    return 0 if len(records) == len(cells) else 1


if __name__ == "__main__":
    _cli.run(main)
