# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tflite_opt.records import training


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"epochs": 0}, "`epochs` must be at least 1. Received: epochs=0"),
        ({"batch_size": -1}, "`batch_size` must be at least 1."),
        ({"learning_rate": 0.0}, "`learning_rate` must be positive."),
        ({"learning_rate": float("nan")}, "TrainingOptions.learning_rate"),
        ({"patience": -1}, "`patience` must not be negative."),
        ({"seed": -1}, "`seed` must not be negative."),
        ({"label_smoothing": 1.0}, "`label_smoothing` must be in [0, 1)."),
        ({"augmentation": "rotate"}, "TrainingOptions.augmentation"),
        ({"keep": "first"}, "TrainingOptions.keep"),
        (
            {"class_weights": (0.0, 0.0)},
            "`class_weights` must not be negative nor all 0.",
        ),
        ({"class_weights": (1.0, -1.0)}, "must not be negative nor all 0."),
        (
            {"class_weights": (1.0,), "balance_classes": True},
            "`class_weights` must be empty. Received: class_weights=(1.0,)",
        ),
        ({"strategy": "parameter_server"}, "TrainingOptions.strategy"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_rejects_options_out_of_range(field, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        training.TrainingOptions(**field)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"temperature": 0.0}, "`temperature` must be positive. Received: "),
        ({"weight": 50}, "`weight` must be in [0, 1]. Received: weight=50"),
        ({"feature_weight": -1.0}, "`feature_weight` must not be negative."),
        ({"features": {"relu": 1}}, "Distillation.features"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_rejects_distillation_out_of_range(field, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        training.Distillation(**field)


def test_distillation_survives_json():
    distillation = training.Distillation(features={"relu": "relu_2"})
    found = training.Distillation.from_json(distillation.to_json())
    assert found == distillation


def test_history_survives_json():
    history = training.TrainingHistory(
        options=training.TrainingOptions(epochs=2),
        loss=(1.0, 0.5),
        accuracy=(0.5, 0.75),
        validation_loss=(1.0, 0.75),
        validation_accuracy=(0.5, 0.5),
        kept_epoch=2,
        steps=10,
        num_train=320,
        num_validation=32,
        seconds=1.5,
    )
    assert training.TrainingHistory.from_json(history.to_json()) == history
    assert history.epochs == 2
