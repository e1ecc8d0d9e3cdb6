# SPDX-License-Identifier: Apache-2.0
"""The flags of the training loop."""

from typing import get_args

from absl import flags

from tflite_opt.records import training

_DEFAULTS = training.TrainingOptions()

_EPOCHS = flags.DEFINE_integer(
    "epochs", _DEFAULTS.epochs, "Most passes over the train split."
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", _DEFAULTS.batch_size, "Examples per step."
)
_LEARNING_RATE = flags.DEFINE_float(
    "learning_rate", _DEFAULTS.learning_rate, "Of Adam, at the first step."
)
_PATIENCE = flags.DEFINE_integer(
    "patience", _DEFAULTS.patience, "Epochs without progress; 0 for never."
)
_AUGMENTATION = flags.DEFINE_enum(
    "augmentation",
    _DEFAULTS.augmentation,
    list(get_args(training.Augmentation)),
    "Random changes to training images.",
)
_SEED = flags.DEFINE_integer("seed", _DEFAULTS.seed, "Of the training.")


def training_options() -> training.TrainingOptions:
    """Returns the options that the flags set."""
    return training.TrainingOptions(
        epochs=_EPOCHS.value,
        batch_size=_BATCH_SIZE.value,
        learning_rate=_LEARNING_RATE.value,
        patience=_PATIENCE.value,
        augmentation=_AUGMENTATION.value,
        seed=_SEED.value,
    )
