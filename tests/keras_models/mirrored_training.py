# SPDX-License-Identifier: Apache-2.0
"""Trains by a strategy; on two devices if it is run as a program."""

import pathlib
import sys

import numpy as np

from tests.keras_models import tiny
from tflite_opt.keras_models import strategies, training
from tflite_opt.keras_models.clustering import sharing, targets


def train(strategy, checkpoint_dir=None):
    training.make_reproducible(3)
    options = training.TrainingOptions(
        epochs=2, batch_size=8, strategy=strategy
    )
    with strategies.scope(strategy):
        model = tiny.classifier()
        chosen, _ = targets.choose(
            model, 8, {}, per_channel=False, keeps_zeros=False
        )
        training.fit(
            model,
            tiny.split(),
            tiny.split("validation", count=24, seed=1),
            options,
            callbacks=[sharing.share(chosen, "linear", 0)],
            checkpoint_dir=checkpoint_dir,
        )
    return model


if __name__ == "__main__":
    import tensorflow as tf

    # TensorFlow must know at its start.
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    model = train("mirrored", pathlib.Path(sys.argv[1]))
    np.savez(
        sys.argv[2],
        *model.get_weights(),
        replicas=model.distribute_strategy.num_replicas_in_sync,
    )
