# SPDX-License-Identifier: Apache-2.0
"""Measures what the ladder and mixed precision save of int8's accuracy.

    python -m scripts.measure_ladder --data_cache=DIR --cifar10_jpeg=FILE.zip

Trains depthwise separable networks on Fashion-MNIST and CIFAR-10, one of them
also with channels of unequal range and one that is hard as trained, and climbs.
Finished cells are kept in --folder, models in --work_dir; a missing cell is
printed as missing. Exit code 0 when all cells are there, 1 when one is missing,
2 for bad input.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.data import dataset
from tflite_opt.records import training
from tflite_opt.studies import ladder, ladder_table

from . import _cli, _study

_DATA_CACHE = flags.DEFINE_string(
    "data_cache", None, "Keras' cache; default $KERAS_HOME, else ~/.keras."
)
_CIFAR10_JPEG = flags.DEFINE_string(
    "cifar10_jpeg",
    None,
    "Zip with the folders train and test, a folder for each class in both; "
    "without it the cells of CIFAR-10 stay missing.",
)
_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/ladder", "Records and the table go here."
)
_WORK_DIR = flags.DEFINE_string(
    "work_dir", "runs/measure_ladder", "Models are kept here."
)
_CASES = flags.DEFINE_list("cases", [], "Which networks now; default all.")
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Which ones now.")
_EPOCHS = flags.DEFINE_integer(
    "epochs", 20, "Of the float training.", lower_bound=1
)
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")

_ALL_SEEDS = (0, 1, 2)


def main(arguments: Sequence[str]) -> int:
    """Measures the missing cells and writes the table."""
    _cli.reject_positional(arguments)
    cells = ladder.cells(_setup())
    chosen = {
        name: cell
        for name, cell in cells.items()
        if name.rpartition(".")[2] in _SEEDS.value
        and (not _CASES.value or name.partition(".")[0] in _CASES.value)
        and (_CIFAR10_JPEG.value or not name.startswith("cifar10"))
    }
    return _study.measure(
        "ladder",
        cells,
        chosen,
        pathlib.Path(_FOLDER.value),
        title=ladder.TITLE,
        flags="--data_cache=DIR --cifar10_jpeg=FILE.zip",
        describe=ladder_table.describe,
        redo=_REDO.value,
    )


def _setup() -> ladder.Setup:
    options = training.TrainingOptions(
        epochs=_EPOCHS.value,
        batch_size=128,
        learning_rate=3e-3,
        augmentation="shift_flip",
    )
    fashion = dataset.DataSpec(
        source="fashion_mnist", data_cache=_DATA_CACHE.value
    )
    separable = ladder.Case(model="ds_cnn", data=fashion, training=options)
    return ladder.Setup(
        cases={
            "fashion_ds_cnn": separable,
            "fashion_rescaled": ladder.Case(
                model="ds_cnn",
                model_options={"filters": 16},
                data=fashion,
                training=options,
                is_rescaled=True,
            ),
            # Normalization behind the ReLU cannot be folded, and the factors of
            # channels that are hardly ever positive leave the others few steps.
            "fashion_hard": ladder.Case(
                model="ds_cnn",
                model_options={
                    "filters": 16,
                    "normalize_last": True,
                    "epsilon": 1e-5,
                },
                data=fashion,
                training=dataclasses.replace(
                    options, learning_rate=2e-2, augmentation="none"
                ),
            ),
            "cifar10_ds_cnn": ladder.Case(
                model="ds_cnn",
                data=dataset.DataSpec(
                    source=f"images:{_CIFAR10_JPEG.value}",
                    preprocessing="unit",
                ),
                training=options,
            ),
        },
        seeds=_ALL_SEEDS,
        work_dir=pathlib.Path(_WORK_DIR.value).resolve(),
    )


if __name__ == "__main__":
    _cli.run(main)
