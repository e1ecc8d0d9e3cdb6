# SPDX-License-Identifier: Apache-2.0
"""The flags of the training loop."""

import pathlib
from typing import get_args

from absl import flags

from tflite_opt.records import errors, training

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
_CLASS_WEIGHTS = flags.DEFINE_list(
    "class_weights",
    [],
    "Factor of the loss of each class's examples, such as 1,2,0.5, or "
    "`balanced`, by which all classes count the same.",
)
_STRATEGY = flags.DEFINE_enum(
    "strategy",
    _DEFAULTS.strategy,
    list(get_args(training.Strategy)),
    "Of tf.distribute: mirrored trains on all GPUs of this machine.",
)
_TENSORBOARD_DIR = flags.DEFINE_string(
    "tensorboard_dir", None, "Where logs for TensorBoard go."
)


def training_options() -> training.TrainingOptions:
    """Returns the options that the flags set."""
    is_balanced = _CLASS_WEIGHTS.value == ["balanced"]
    return training.TrainingOptions(
        epochs=_EPOCHS.value,
        batch_size=_BATCH_SIZE.value,
        learning_rate=_LEARNING_RATE.value,
        patience=_PATIENCE.value,
        augmentation=_AUGMENTATION.value,
        seed=_SEED.value,
        class_weights=() if is_balanced else _class_weights(),
        balance_classes=is_balanced,
        strategy=_STRATEGY.value,
        tensorboard_dir=(
            pathlib.Path(_TENSORBOARD_DIR.value).expanduser().resolve()
            if _TENSORBOARD_DIR.value
            else None
        ),
    )


def _class_weights() -> tuple[float, ...]:
    try:
        return tuple(float(weight) for weight in _CLASS_WEIGHTS.value)
    except ValueError as error:
        raise errors.InputError(
            "`class_weights` must be numbers, or `balanced`. "
            f"Received: --class_weights={','.join(_CLASS_WEIGHTS.value)}"
        ) from error
