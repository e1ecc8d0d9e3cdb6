# SPDX-License-Identifier: Apache-2.0
"""The flags of the training that compression techniques do."""

import dataclasses

from absl import flags

from tflite_opt.records import training

from . import _training_flags

_EPOCHS = flags.DEFINE_integer(
    "finetune_epochs",
    training.FINE_TUNING.epochs,
    "Passes over the train split of each technique that trains, where its "
    "recipe does not say otherwise.",
)
_LEARNING_RATE = flags.DEFINE_float(
    "finetune_learning_rate",
    training.FINE_TUNING.learning_rate,
    "Of Adam, at the first step of such a training.",
)


def fine_tuning_options() -> training.TrainingOptions:
    """Returns the options of --finetune_*, else those of the training."""
    return dataclasses.replace(
        _training_flags.training_options(),
        epochs=_EPOCHS.value,
        learning_rate=_LEARNING_RATE.value,
    )
