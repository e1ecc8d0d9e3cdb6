# SPDX-License-Identifier: Apache-2.0
"""Measures our rounding beside AdaRound: time, error and agreement.

    python -m scripts.measure_rounding --data_cache=DIR

Trains a narrow depthwise separable network on Fashion-MNIST with each seed,
and rounds it in all ways with 8 and with 4 bits. Finished cells are kept in
--folder, models in --work_dir; a missing cell is printed as missing. Exit code
0 when all cells are there, 1 when one is missing, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.data import dataset
from tflite_opt.records import training
from tflite_opt.studies import rounding_reference, study, trained_reference

from . import _cli, _study

_DATA_CACHE = flags.DEFINE_string(
    "data_cache", None, "Keras' cache; default $KERAS_HOME, else ~/.keras."
)
_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/rounding", "Records and the table go here."
)
_WORK_DIR = flags.DEFINE_string(
    "work_dir", "runs/measure_rounding", "Models are kept here."
)
_CELLS = flags.DEFINE_list(
    "cells",
    None,
    "Which ones to measure now, as in rounding.int8.0; default all.",
)
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")


def main(arguments: Sequence[str]) -> int:
    """Measures the missing cells and writes the table."""
    _cli.reject_positional(arguments)
    setup = rounding_reference.Setup(
        trained=trained_reference.Setup(
            model="ds_cnn",
            model_options={"filters": 16},
            data=dataset.DataSpec(
                source="fashion_mnist", data_cache=_DATA_CACHE.value
            ),
            training=training.TrainingOptions(
                epochs=4, batch_size=128, learning_rate=1e-2
            ),
            work_dir=pathlib.Path(_WORK_DIR.value).resolve(),
        ),
        seeds=(0, 1, 2),
    )
    cells = rounding_reference.cells(setup)
    chosen = study.choose(cells, _CELLS.value)
    return _study.measure(
        "rounding",
        cells,
        chosen,
        pathlib.Path(_FOLDER.value),
        title=rounding_reference.TITLE,
        flags="--data_cache=DIR",
        describe=rounding_reference.describe,
        redo=_REDO.value,
    )


if __name__ == "__main__":
    _cli.run(main)
