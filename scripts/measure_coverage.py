# SPDX-License-Identifier: Apache-2.0
"""Trains stock models by each technique, and times the steps.

    python -m scripts.measure_coverage --dataset=images:cifar10-jpeg.zip

Any images do: weights are random, and batch statistics come from the images.
Steps are timed on a quiet machine, or not at all.
Finished cells are kept in --folder; a missing one is printed as missing. Exit
code 0 when all cells are there, 1 when one is missing, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.studies import study, training_coverage

from . import _cli, _study

_DATASET = flags.DEFINE_string(
    "dataset", None, "Images, as in scripts.optimize.", required=True
)
_IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", 96, "Height and width of the models' inputs.", lower_bound=75
)
_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/coverage", "Records and the table go here."
)
_CELLS = flags.DEFINE_list(
    "cells", None, "Models, or `steps`, to measure now; default all."
)
_ROUNDS = flags.DEFINE_integer(
    "rounds", 5, "How often steps are timed, in turn.", lower_bound=1
)
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")


def main(arguments: Sequence[str]) -> int:
    """Measures the missing cells and writes the table."""
    _cli.reject_positional(arguments)
    setup = training_coverage.Setup(
        source=_DATASET.value,
        image_size=_IMAGE_SIZE.value,
        rounds=_ROUNDS.value,
    )
    cells = training_coverage.cells(setup)
    chosen = study.choose(cells, _CELLS.value)
    return _study.measure(
        "coverage",
        cells,
        chosen,
        pathlib.Path(_FOLDER.value),
        title=training_coverage.TITLE,
        flags="--dataset=images:FILE.zip",
        describe=training_coverage.describe,
        rounds=_ROUNDS.value,
        redo=_REDO.value,
    )


if __name__ == "__main__":
    _cli.run(main)
