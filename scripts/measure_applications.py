# SPDX-License-Identifier: Apache-2.0
"""Takes the stock models of both generations of Keras to int8.

    python -m scripts.measure_applications --dataset=images:cifar10-jpeg.zip

Any images do: weights are random, and batch statistics come from the images.
Finished cells are kept in --folder; a missing one is printed as missing. Exit
code 0 when all cells are there, 1 when one is missing, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.studies import applications, study

from . import _cli

_DATASET = flags.DEFINE_string(
    "dataset", None, "Images, as in scripts.optimize.", required=True
)
_IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", 128, "Height and width of the models' inputs.", lower_bound=75
)
_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/applications", "Records and the table go here."
)
_WORK_DIR = flags.DEFINE_string(
    "work_dir", "runs/measure_applications", "Models are kept here."
)
_MODELS = flags.DEFINE_list(
    "models", list(applications.PREPROCESSING), "Which models to measure."
)
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")


def main(arguments: Sequence[str]) -> int:
    """Measures the missing cells and writes the table."""
    _cli.reject_positional(arguments)
    work_dir = pathlib.Path(_WORK_DIR.value).resolve()
    work_dir.mkdir(parents=True, exist_ok=True)
    cells = applications.cells(_DATASET.value, _IMAGE_SIZE.value, work_dir)
    chosen = {
        name: cell
        for name, cell in cells.items()
        if name.partition(".")[0] in _MODELS.value
    }
    folder = pathlib.Path(_FOLDER.value)
    study.run("applications", chosen, folder, rounds=1, redo=_REDO.value)
    found = study.load(cells, folder)
    command = "python -m scripts.measure_applications --dataset=images:FILE.zip"
    text = study.write_table(
        applications.TITLE, found, folder, command, wide=True
    )
    records = [record.to_json() for record in found.values() if record]
    _cli.emit(records, text)
    return 0 if len(records) == len(cells) else 1


if __name__ == "__main__":
    _cli.run(main)
