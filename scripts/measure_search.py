# SPDX-License-Identifier: Apache-2.0
"""Measures what a search finds, against the named presets.

    python -m scripts.measure_search --data_cache=DIR

Trains a narrow ResNet-8 on 20,000 examples of Fashion-MNIST once, makes all
presets, and searches with three seeds, 40 trials each. Finished cells are kept
in --folder, everything made in --work_dir, from where an interrupted cell goes
on; a missing cell is printed as missing. Exit code 0 when all cells are there,
1 when one is missing, 2 for bad input.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt import recipe
from tflite_opt.data import dataset
from tflite_opt.records import benchmark, search, training
from tflite_opt.search import space
from tflite_opt.studies import recipe_search, study

from . import _cli, _study

_DATA_CACHE = flags.DEFINE_string(
    "data_cache", None, "Keras' cache; default $KERAS_HOME, else ~/.keras."
)
_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/search", "Records and the table go here."
)
_WORK_DIR = flags.DEFINE_string(
    "work_dir", "runs/measure_search", "Everything made is kept here."
)
_CELLS = flags.DEFINE_list("cells", None, "Which ones now; default: all.")
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")

# A lottery ticket is trained many times over, from new weights.
_LEFT_OUT = ("lottery80_int8",)
# Its students take 20 epochs, ten times as many as the other techniques here.
_LONG_TRAINING = "distillation"
_SETUP = recipe_search.Setup(
    # Most of the trials train, and there are many of them. Kernels in int8 must
    # be faster, or nothing is left to find but bytes.
    model="resnet8",
    model_options={"filters": 8},
    data=dataset.DataSpec(source="fashion_mnist", limit=20_000),
    training=training.TrainingOptions(
        epochs=20, batch_size=128, learning_rate=3e-3
    ),
    fine_tuning=training.TrainingOptions(
        epochs=2, batch_size=128, learning_rate=1e-3
    ),
    runtime=benchmark.RuntimeOptions(launches=6, num_runs=50, min_secs=0.2),
    limits=search.Limits(max_accuracy_drop=0.01, counts_gzip=True),
    num_trials=40,
    seeds=(0, 1, 2),
    techniques=tuple(
        x
        for x in space.default_techniques(counts_gzip=True)
        if x != _LONG_TRAINING
    ),
    presets=tuple(x for x in recipe.presets() if x not in _LEFT_OUT),
    work_dir=pathlib.Path(),
)


def main(arguments: Sequence[str]) -> int:
    """Measures the missing cells and writes the table."""
    _cli.reject_positional(arguments)
    setup = dataclasses.replace(
        _SETUP,
        data=dataclasses.replace(_SETUP.data, data_cache=_DATA_CACHE.value),
        work_dir=pathlib.Path(_WORK_DIR.value).resolve(),
    )
    cells = recipe_search.cells(setup)
    chosen = study.choose(cells, _CELLS.value)
    return _study.measure(
        "search",
        cells,
        chosen,
        pathlib.Path(_FOLDER.value),
        title=recipe_search.TITLE,
        flags="--data_cache=DIR",
        describe=lambda found: recipe_search.describe(found, setup.limits),
        redo=_REDO.value,
    )


if __name__ == "__main__":
    _cli.run(main)
