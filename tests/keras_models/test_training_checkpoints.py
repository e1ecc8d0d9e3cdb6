# SPDX-License-Identifier: Apache-2.0
import dataclasses
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.keras_models import killed_training, tiny
from tflite_opt.keras_models import training
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def uninterrupted():
    return killed_training.train()


def assert_equal(found, wanted):
    for a, b in zip(
        found[0].get_weights(), wanted[0].get_weights(), strict=True
    ):
        np.testing.assert_array_equal(a, b)
    assert dataclasses.replace(found[1], seconds=0) == dataclasses.replace(
        wanted[1], seconds=0
    )


def watch(stop_at=None):
    """Counts epochs in a variable; may interrupt in (epoch, batch)."""
    import tensorflow as tf
    import tf_keras as keras

    class Watch(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.state = {"epochs": tf.Variable(0)}
            self.batches = []

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_epoch_end(self, epoch, logs=None):
            self.state["epochs"].assign_add(1)

        def on_train_batch_end(self, batch, logs=None):
            self.batches.append((self.epoch, batch))
            if self.batches[-1] == stop_at:
                raise KeyboardInterrupt

    return Watch()


def test_killed_while_writing_ends_with_the_same_weights(
    tmp_path, uninterrupted
):
    done = subprocess.run(
        [sys.executable, "-m", killed_training.__name__, str(tmp_path)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    lines = []
    resumed = killed_training.train(tmp_path, log=lines.append)
    assert [line.split(":")[0] for line in lines] == [
        "epoch 3/5",
        "epoch 4/5",
        "epoch 5/5",
    ]
    assert_equal(resumed, uninterrupted)


@pytest.mark.parametrize("stop_at", [(0, 2), (4, 1)], ids=str)
def test_interrupted_goes_on_from_the_last_epoch(
    tmp_path, uninterrupted, stop_at
):
    with pytest.raises(KeyboardInterrupt):
        killed_training.train(tmp_path, [watch(stop_at)])
    again = watch()
    resumed = killed_training.train(tmp_path, [again])
    assert again.batches[0] == (stop_at[0], 0)
    assert again.state["epochs"].numpy() == 5
    assert_equal(resumed, uninterrupted)


def test_a_finished_training_is_not_run_again(tmp_path, uninterrupted):
    killed_training.train(tmp_path, [watch()])
    again = watch()
    assert_equal(killed_training.train(tmp_path, [again]), uninterrupted)
    assert not again.batches


def test_a_training_that_stopped_early_is_not_run_again(tmp_path):
    def fit():
        training.make_reproducible(3)
        return training.fit(
            tiny.classifier(),
            tiny.split(),
            tiny.split("validation", count=24, seed=1),
            training.TrainingOptions(
                epochs=30, batch_size=8, learning_rate=1e-30, patience=2
            ),
            checkpoint_dir=tmp_path,
        )

    first = fit()
    assert first.epochs < 30
    again = fit()
    assert again.steps == first.steps
    assert again.loss == first.loss


def test_other_options_data_or_weights_are_another_training(tmp_path):
    def fit(seed=3, count=48, **options):
        training.make_reproducible(seed)
        training.fit(
            tiny.classifier(),
            tiny.split(count=count),
            tiny.split("validation", count=24, seed=1),
            training.TrainingOptions(epochs=1, batch_size=8, **options),
            checkpoint_dir=tmp_path / "checkpoints",
        )
        return len(list((tmp_path / "checkpoints").iterdir()))

    assert fit() == 1
    assert fit(tensorboard_dir=tmp_path / "logs") == 1
    assert fit(seed=4) == 2
    assert fit(count=24, label_smoothing=0.1) == 3


def test_a_loss_that_diverges_keeps_the_last_good_checkpoint(tmp_path):
    import tf_keras as keras

    class Poison(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.model.get_layer("scores").bias.assign([np.nan] * 3)

    with pytest.raises(errors.InputError, match="nan after step 13"):
        killed_training.train(tmp_path, [Poison()])
    (path,) = tmp_path.iterdir()
    with np.load(path) as stored:
        assert '"steps": 12' in str(stored["progress"])
        assert all(
            np.isfinite(stored[name]).all()
            for name in stored.files
            if name != "progress"
        )


def test_refuses_a_damaged_checkpoint(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        killed_training.train(tmp_path, [watch((1, 0))])
    (path,) = tmp_path.iterdir()
    np.savez(path, progress="{}")
    with pytest.raises(
        errors.InputError,
        match=re.escape("must hold what is trained. Received: "),
    ):
        killed_training.train(tmp_path, [watch()])
