# SPDX-License-Identifier: Apache-2.0
"""Surroundings in which techniques train tiny models on tiny data."""

import functools

from tests.keras_models import tiny
from tflite_opt.keras_models import fine_tuning, layer_weights, training

OPTIONS = training.TrainingOptions(epochs=4, batch_size=8, learning_rate=0.01)


def context(options=OPTIONS, **fields):
    train = tiny.split()
    return fine_tuning.Context(
        train=train,
        validation=tiny.split("validation", count=24, seed=1),
        calibration=train,
        options=options,
        **fields,
    )


def trained(build=tiny.classifier):
    """Returns a model that tells the tiny classes apart."""
    model = build()
    model.set_weights(_trained_weights(build))
    return model


@functools.cache
def _trained_weights(build):
    training.make_reproducible(5)
    model = build()
    around = context()
    training.fit(
        model,
        around.train,
        around.validation,
        training.TrainingOptions(epochs=8, batch_size=8, learning_rate=0.02),
    )
    return model.get_weights()


def apply(technique, model, **fields):
    """Returns what a technique makes of a model, its promises measured."""
    found = technique.apply(model, context(**fields))
    kept = layer_weights.measure(found.model, found.promises)
    for promise in kept:
        promise.require()
    return found, kept
