# SPDX-License-Identifier: Apache-2.0
"""A training that is killed while it writes a checkpoint, and its like."""

import os
import pathlib
import signal
import sys

import numpy as np

from tests.keras_models import tiny
from tflite_opt.keras_models import training

OPTIONS = training.TrainingOptions(
    epochs=5, batch_size=8, learning_rate=0.02, augmentation="shift"
)


def train(checkpoint_dir=None, callbacks=(), **changes):
    import tf_keras as keras

    training.make_reproducible(3)
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(momentum=0.5),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.4),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dropout(0.4),
            keras.layers.Dense(3, activation="softmax", name="scores"),
        ]
    )
    history = training.fit(
        model,
        tiny.split(),
        tiny.split("validation", count=24, seed=1),
        OPTIONS,
        callbacks=callbacks,
        checkpoint_dir=checkpoint_dir,
        **changes,
    )
    return model, history


def _kill_in_third_write():
    save, calls = np.savez, []

    def half(file, **arrays):
        calls.append(1)
        save(file, **arrays)
        if len(calls) == 3:
            file.truncate(file.tell() // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    np.savez = half


if __name__ == "__main__":
    _kill_in_third_write()
    train(pathlib.Path(sys.argv[1]))
