# SPDX-License-Identifier: Apache-2.0
"""Measures whether bias correction ever hurts, on every reference model.

    python -m scripts.measure_bias_correction

Each model is trained on its own data set, which needs no network. Finished
cells are kept in --folder, models in --work_dir; a missing cell is printed as
missing. Exit code 0 when all cells are there, 1 when one is missing, 2 for bad
input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.records import training
from tflite_opt.studies import (
    bias_correction_check,
    study,
    trained_reference,
)

from . import _cli, _study

_FOLDER = flags.DEFINE_string(
    "folder",
    "docs/measurements/bias_correction",
    "Records and the table go here.",
)
_WORK_DIR = flags.DEFINE_string(
    "work_dir", "runs/measure_bias_correction", "Models are kept here."
)
_CELLS = flags.DEFINE_list("cells", None, "Models to measure now; default all.")
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")


def main(arguments: Sequence[str]) -> int:
    """Measures the missing cells and writes the table."""
    _cli.reject_positional(arguments)
    setup = trained_reference.OwnData(
        training=training.TrainingOptions(epochs=15),
        work_dir=pathlib.Path(_WORK_DIR.value).resolve(),
    )
    cells = bias_correction_check.cells(setup)
    chosen = study.choose(cells, _CELLS.value)
    return _study.measure(
        "bias_correction",
        cells,
        chosen,
        pathlib.Path(_FOLDER.value),
        title=bias_correction_check.TITLE,
        describe=bias_correction_check.describe,
        redo=_REDO.value,
    )


if __name__ == "__main__":
    _cli.run(main)
