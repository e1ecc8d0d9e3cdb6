# SPDX-License-Identifier: Apache-2.0
"""Measures what channel pruning costs in accuracy, and what it saves.

    python -m scripts.measure_channels --data_cache=DIR

Trains a shallow MobileNetV2 of width 0.75 and a ResNet-10 on Fashion-MNIST
with three seeds, and compresses each by every recipe; then halves MACs and
latency of MobileNetV2 at 224x224. Finished cells are kept in --folder, models
in --work_dir; a missing cell is printed as missing. Exit code 0 when all cells
are there, 1 when one is missing, 2 for bad input.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

from absl import flags

from tflite_opt.data import dataset
from tflite_opt.records import training
from tflite_opt.studies import channel_pruning as study_lib
from tflite_opt.studies import training_compression
from tflite_opt.techniques import channel_pruning

from . import _cli, _study

_DATA_CACHE = flags.DEFINE_string(
    "data_cache", None, "Keras' cache; default $KERAS_HOME, else ~/.keras."
)
_FOLDER = flags.DEFINE_string(
    "folder", "docs/measurements/channels", "Records and the table go here."
)
_WORK_DIR = flags.DEFINE_string(
    "work_dir", "runs/measure_channels", "Models are kept here."
)
_CELLS = flags.DEFINE_list(
    "cells",
    [],
    "Which ones to measure now, by the beginnings of their names, such as "
    "resnet8.channels_int8; all by default.",
)
_LAUNCHES = flags.DEFINE_integer(
    "launches", 10, "Of each file whose latency is measured."
)
_REDO = flags.DEFINE_boolean("redo", False, "Measure finished cells again.")

_FINE_TUNING = training.TrainingOptions(
    epochs=8, batch_size=128, learning_rate=2e-3
)
_TRAINING = dataclasses.replace(_FINE_TUNING, epochs=10, learning_rate=3e-3)
_DISTILLATION = training.Distillation(weight=0.5)
# What leaves a tenth of ResNet's float file, in int8 and slimmed, and makes
# MobileNetV2 three times as fast; its file is far smaller then.
_PRUNING = {
    "mobilenet_v2": channel_pruning.ChannelPruning(
        macs=0.35, distillation=_DISTILLATION
    ),
    "resnet8": channel_pruning.ChannelPruning(
        parameters=0.35, distillation=_DISTILLATION
    ),
}
# Kernels compute 8 channels at a time: a narrower MobileNetV2 has nothing to
# give away where the resolution is high.
_OPTIONS: dict[str, dict[str, float]] = {
    "mobilenet_v2": {"width_multiplier": 0.75, "depth_multiplier": 0.25},
    "resnet8": {"stages": 4},
}


def main(arguments: Sequence[str]) -> int:
    """Measures the missing cells and writes the table."""
    _cli.reject_positional(arguments)
    work_dir = pathlib.Path(_WORK_DIR.value).resolve()
    cases = {
        name: study_lib.Case(
            setup=training_compression.Setup(
                model=name,
                model_options=_OPTIONS[name],
                data=dataset.DataSpec(
                    source="fashion_mnist", data_cache=_DATA_CACHE.value
                ),
                training=_TRAINING,
                fine_tuning=_FINE_TUNING,
                seeds=(0, 1, 2),
                recipes=study_lib.RECIPES,
                work_dir=work_dir / name,
            ),
            pruning=pruning,
        )
        for name, pruning in _PRUNING.items()
    }
    cells = study_lib.cells(cases, _LAUNCHES.value, work_dir)
    chosen = {
        name: cell
        for name, cell in cells.items()
        if not _CELLS.value or name.startswith(tuple(_CELLS.value))
    }
    return _study.measure(
        "channels",
        cells,
        chosen,
        pathlib.Path(_FOLDER.value),
        title=study_lib.TITLE,
        flags="--data_cache=DIR",
        describe=study_lib.describe,
        redo=_REDO.value,
    )


if __name__ == "__main__":
    _cli.run(main)
