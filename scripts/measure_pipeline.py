# SPDX-License-Identifier: Apache-2.0
"""Measures the pipeline's own speed and memory beside the tutorial way.

    python -m scripts.measure_pipeline --data_cache=DIR

Fashion-MNIST comes from Keras' cache. Finished cells are kept in --folder;
a missing one is printed as missing. Exit code 0 when all cells are there, 1
when one is missing, 2 for bad input.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.studies import pipeline_speed, prepare, study

from . import _cli

_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/pipeline", "Records and the table go here."
)
_WORK_DIR = flags.DEFINE_string(
    "work_dir", "runs/measure_pipeline", "Models of the study are kept here."
)
_DATA_CACHE = flags.DEFINE_string(
    "data_cache", None, "Keras' cache; default $KERAS_HOME, else ~/.keras."
)
_ROUNDS = flags.DEFINE_integer(
    "rounds", 3, "How often both sides run, in turn.", lower_bound=1
)
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")


def main(arguments: Sequence[str]) -> int:
    """Measures the missing cells and writes the table."""
    _cli.reject_positional(arguments)
    work_dir = pathlib.Path(_WORK_DIR.value).resolve()
    places = prepare.Places(work_dir)
    pipeline_speed.prepare_in_child(work_dir, _DATA_CACHE.value)
    setup = pipeline_speed.Setup(
        programs=_cli.PACKAGE,
        converted_model=places.mobilenet,
        samples=places.samples,
        evaluated_model=places.resnet_int8,
        trained_model=places.resnet,
        images=prepare.images(_DATA_CACHE.value),
        large_model=places.large,
        rounds=_ROUNDS.value,
    )
    folder = pathlib.Path(_FOLDER.value)
    cells = pipeline_speed.cells(setup)
    found = study.run(
        "pipeline", cells, folder, rounds=_ROUNDS.value, redo=_REDO.value
    )
    command = "python -m scripts.measure_pipeline --data_cache=DIR"
    text = study.write_table(pipeline_speed.TITLE, found, folder, command)
    records = [record.to_json() for record in found.values() if record]
    _cli.emit(records, text)
    return 0 if len(records) == len(cells) else 1


if __name__ == "__main__":
    _cli.run(main)
