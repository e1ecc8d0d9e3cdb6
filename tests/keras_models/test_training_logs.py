# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.keras_models import tiny
from tflite_opt.keras_models import training

pytestmark = pytest.mark.tensorflow


def scalars(path):
    import tensorflow as tf

    found = {}
    for record in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            kind = value.metadata.plugin_data.plugin_name
            assert kind in ("scalars", "")
            number = tf.make_ndarray(value.tensor).item()
            found.setdefault(value.tag, []).append((event.step, number))
    return found


def test_each_epoch_is_logged_for_tensorboard(tmp_path):
    history = training.fit(
        tiny.classifier(),
        tiny.split(),
        tiny.split("validation", count=24, seed=1),
        training.TrainingOptions(
            epochs=2,
            batch_size=8,
            learning_rate_schedule="constant",
            tensorboard_dir=tmp_path,
        ),
    )
    (directory,) = tmp_path.iterdir()
    assert directory.name.startswith("model")
    (path,) = directory.iterdir()
    found = scalars(path)
    assert set(found) == {
        "epoch_loss",
        "epoch_accuracy",
        "epoch_val_loss",
        "epoch_val_accuracy",
        "epoch_learning_rate",
    }
    for tag, values in (
        ("epoch_loss", history.loss),
        ("epoch_val_accuracy", history.validation_accuracy),
        ("epoch_learning_rate", (1e-3, 1e-3)),
    ):
        steps, numbers = zip(*found[tag], strict=True)
        assert steps == (1, 2)
        assert numbers == pytest.approx(values)
