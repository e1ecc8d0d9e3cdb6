# SPDX-License-Identifier: Apache-2.0
"""A context for techniques that train, with tiny data."""

import dataclasses

from tests.keras_models import tiny
from tflite_opt.keras_models import fine_tuning
from tflite_opt.records import training


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Context(fine_tuning.Context):
    """Remembers what was trained.

    Attributes:
        fits: Of each training the weights before and the options.
        trains: Whether weights change.
    """

    fits: list = dataclasses.field(default_factory=list)
    trains: bool = True

    def fit(self, model, options, **kwargs):
        self.fits.append((model.get_weights(), options))
        if self.trains:
            return super().fit(model, options, **kwargs)
        model.set_weights([w * 1.25 + 0.125 for w in model.get_weights()])
        for callback in kwargs.get("callbacks", ()):
            callback.on_train_batch_end(0)
        return None


def context(trains=True, **options):
    """Returns a context with images of three classes."""
    train = tiny.split()
    return Context(
        train=train,
        validation=tiny.split("validation", count=24, seed=1),
        calibration=train,
        options=training.TrainingOptions(
            **{"epochs": 4, "batch_size": 8, "learning_rate": 0.02} | options
        ),
        trains=trains,
    )
