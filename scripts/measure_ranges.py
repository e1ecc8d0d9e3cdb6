# SPDX-License-Identifier: Apache-2.0
"""Measures what clipping activations does to int8.

    python -m scripts.measure_ranges

Each model is trained on its own data set, which needs no network, and quantized
with true ranges and with those of OCTAV, least squared error, percentiles and a
moving average. Finished cells are kept in --folder, models in --work_dir; a
missing cell is printed as missing. Exit code 0 when all cells are there, 1 when
one is missing, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.records import training
from tflite_opt.studies import activation_ranges, study, trained_reference

from . import _cli, _study

_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/ranges", "Records and the table go here."
)
_WORK_DIR = flags.DEFINE_string(
    "work_dir", "runs/measure_ranges", "Models are kept here."
)
_CELLS = flags.DEFINE_list("cells", None, "Models to measure now; default all.")
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")

_MODELS = (
    "ds_cnn",
    "efficientnet_lite0",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "resnet8",
)


def main(arguments: Sequence[str]) -> int:
    """Measures the missing cells and writes the table."""
    _cli.reject_positional(arguments)
    setup = trained_reference.OwnData(
        training=training.TrainingOptions(epochs=15),
        work_dir=pathlib.Path(_WORK_DIR.value).resolve(),
    )
    cells = activation_ranges.cells(_MODELS, setup)
    chosen = study.choose(cells, _CELLS.value)
    return _study.measure(
        "ranges",
        cells,
        chosen,
        pathlib.Path(_FOLDER.value),
        title=activation_ranges.TITLE,
        describe=activation_ranges.describe,
        redo=_REDO.value,
    )


if __name__ == "__main__":
    _cli.run(main)
