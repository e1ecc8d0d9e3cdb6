# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.data import lazy
from tests.keras_models import tiny
from tflite_opt.data import dataset
from tflite_opt.keras_models import training
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow

VALIDATION = tiny.split("validation", count=24, seed=1)
LONG = tiny.split("validation", count=300, seed=1)


def with_inputs(split, inputs):
    return dataset.Split(
        name=split.name,
        inputs={"x": inputs},
        labels=split.labels,
        ids=split.ids,
    )


def tiny_model():
    training.make_reproducible(3)
    return tiny.classifier()


def fit(model, log=None, callbacks=(), train=None, **options):
    options = {"batch_size": 8, "learning_rate": 0.02} | options
    return training.fit(
        model,
        train or tiny.split(),
        VALIDATION,
        training.TrainingOptions(**options),
        log,
        callbacks=callbacks,
    )


def trained(**options):
    model = tiny_model()
    return model, fit(model, **options)


def validation_accuracy(model):
    outputs = model.predict(VALIDATION.inputs["x"], verbose=0)
    return np.mean(outputs.argmax(axis=1) == VALIDATION.labels)


def equal(first, second):
    return all(
        np.array_equal(a, b)
        for a, b in zip(first.get_weights(), second.get_weights(), strict=True)
    )


def test_learns_and_reports_every_epoch():
    model, history = trained(epochs=8)
    assert history.epochs == len(history.validation_loss) == 8
    assert history.loss[-1] < history.loss[0]
    assert history.steps == 8 * 6
    assert history.num_train == 48
    assert history.num_validation == 24
    assert history.seconds > 0
    assert validation_accuracy(model) > 0.9


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"augmentation": "shift_flip"},
        {"label_smoothing": 0.1},
        {"learning_rate_schedule": "constant"},
    ],
    ids=["plain", "augmented", "smoothed", "constant rate"],
)
def test_same_seed_gives_the_same_weights(options):
    first, history = trained(epochs=2, **options)
    again, repeated = trained(epochs=2, **options)
    assert equal(first, again)
    assert history.loss == repeated.loss


def test_another_seed_gives_other_weights():
    first, _ = trained(epochs=1)
    other, _ = trained(epochs=1, seed=1)
    assert not equal(first, other)


def test_keeps_the_weights_of_the_best_epoch():
    model, history = trained(epochs=10, learning_rate=0.1)
    results = list(
        zip(
            history.validation_accuracy,
            (-loss for loss in history.validation_loss),
            strict=True,
        )
    )
    assert history.kept_epoch == 1 + results.index(max(results))
    kept = history.validation_accuracy[history.kept_epoch - 1]
    assert validation_accuracy(model) == pytest.approx(kept)


def test_keeps_the_last_epoch_when_asked():
    model, history = trained(epochs=6, learning_rate=0.1, keep="last")
    assert history.kept_epoch == 6
    assert validation_accuracy(model) == pytest.approx(
        history.validation_accuracy[-1]
    )


def test_stops_after_patience_epochs_without_progress():
    # Too small a rate to change anything, so the first epoch stays the best.
    _, history = trained(epochs=30, learning_rate=1e-30, patience=2)
    best = history.kept_epoch
    assert history.epochs == best + 2 < 30


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_learning_rate_schedule(schedule):
    import tf_keras as keras

    rates = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    trained(epochs=2, learning_rate_schedule=schedule, callbacks=[Watch()])
    assert len(rates) == 12
    if schedule == "constant":
        np.testing.assert_allclose(rates, 0.02)
    else:
        assert (np.diff(rates[1:]) < 0).all()
        assert rates[1] == pytest.approx(0.02, rel=0.05)
        assert rates[-1] < 0.002


def test_diverged_loss_names_the_step_and_leaves_the_best_weights():
    import tf_keras as keras

    class Poison(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.model.get_layer("scores").kernel.assign(
                    np.full((16, 3), np.nan)
                )

    model = tiny.classifier()
    with pytest.raises(errors.InputError) as caught:
        fit(
            model,
            epochs=5,
            learning_rate=1e-30,
            learning_rate_schedule="constant",
            callbacks=[Poison()],
        )
    message = str(caught.value)
    assert "Received: loss nan after step 13." in message
    assert re.search(r"has the weights of epoch [12]\.", message)
    assert all(np.isfinite(array).all() for array in model.get_weights())


def test_loss_that_diverges_at_once_leaves_the_first_weights():
    model = tiny.classifier()
    before = model.get_weights()
    train = tiny.split()
    train.inputs["x"][:] = np.nan
    train = dataset.Split(
        name="train", inputs=train.inputs, labels=train.labels, ids=train.ids
    )
    with pytest.raises(errors.InputError, match="it started with"):
        fit(model, train=train, epochs=2)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_logs_one_line_for_each_epoch_without_a_terminal():
    lines = []
    fit(tiny.classifier(), log=lines.append, epochs=3)
    assert [line.split(":")[0] for line in lines] == [
        "epoch 1/3",
        "epoch 2/3",
        "epoch 3/3",
    ]
    assert re.search(r"validation accuracy 0\.\d{4}, at most \d+ s", lines[0])


def test_shows_a_bar_on_a_terminal(monkeypatch, capsys, caplog):
    import sys

    caplog.set_level("INFO")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    lines = []
    fit(tiny.classifier(), log=lines.append, epochs=2)
    shown = capsys.readouterr().err
    assert "12/12" in shown
    assert lines == []


def test_trains_on_fewer_examples_than_a_batch():
    history = fit(tiny.classifier(), train=tiny.split(count=5), epochs=2)
    assert history.steps == 2


def test_trains_a_sequential_model_and_one_with_two_inputs():
    import tf_keras as keras

    fit(
        keras.Sequential(
            [
                keras.Input((4, 4, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(3, activation="softmax"),
            ]
        ),
        epochs=1,
    )
    left = keras.Input((4, 4, 1), name="left")
    right = keras.Input((4, 4, 1), name="right")
    both = keras.layers.Concatenate()([left, right])
    scores = keras.layers.Dense(3, activation="softmax")(
        keras.layers.Flatten()(both)
    )
    model = keras.Model([left, right], scores)

    def doubled(split):
        images = split.inputs["x"]
        return dataset.Split(
            name=split.name,
            inputs={"right": images, "left": 0 * images},
            labels=split.labels,
            ids=split.ids,
        )

    history = training.fit(
        model,
        doubled(tiny.split()),
        doubled(VALIDATION),
        training.TrainingOptions(epochs=8, learning_rate=0.05, batch_size=8),
    )
    assert max(history.validation_accuracy) > 0.9


def test_lazy_inputs_are_loaded_batch_by_batch():
    given = [lazy.Counted(x.inputs["x"]) for x in (tiny.split(), LONG)]
    streamed, in_memory = (
        training.fit(
            tiny_model(),
            with_inputs(tiny.split(), train),
            with_inputs(LONG, validation),
            training.TrainingOptions(epochs=2, batch_size=8),
        )
        for train, validation in (
            given,
            (tiny.split().inputs["x"], LONG.inputs["x"]),
        )
    )
    assert streamed.loss == in_memory.loss
    assert streamed.validation_loss == in_memory.validation_loss
    assert given[0].largest_batch() == 8
    assert given[1].largest_batch() == 256


def test_refuses_labels_that_are_no_classes():
    train = tiny.split()
    train = dataset.Split(
        name="train", inputs=train.inputs, labels=None, ids=train.ids
    )
    with pytest.raises(errors.DataError, match="no labels in split='train'"):
        fit(tiny.classifier(), train=train, epochs=1)


def test_an_autoencoder_learns_to_give_back_what_it_is_shown():
    model = tiny.autoencoder()
    history = fit(model, epochs=8, augmentation="shift")
    assert history.objective == "reconstruction"
    assert history.accuracy == history.validation_accuracy == ()
    assert history.validation_loss[-1] < 0.5 * history.validation_loss[0]
    assert history.kept_epoch == 1 + np.argmin(history.validation_loss)
    images = VALIDATION.inputs["x"]
    error = np.mean((model.predict(images, verbose=0) - images) ** 2)
    assert error == pytest.approx(min(history.validation_loss), rel=1e-4)


def test_an_autoencoder_is_not_judged_on_anomalies():
    normal = np.flatnonzero(tiny.split().labels == 0)
    history = fit(
        tiny.autoencoder(), train=tiny.split().take(normal, "train"), epochs=1
    )
    assert history.num_train == 16
    assert history.num_validation == np.sum(VALIDATION.labels == 0) == 8


def test_a_softmax_as_wide_as_its_input_is_a_classifier():
    import tf_keras as keras

    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(3, activation="softmax")]
    )
    split = dataset.Split(
        name="train",
        inputs={"x": np.eye(3, dtype=np.float32)},
        labels=np.arange(3),
        ids=np.arange(3),
    )
    assert training.objective_of(model, split) == "classification"


def test_trains_on_token_ids():
    import tf_keras as keras

    tokens = keras.Input((6,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(9, 8)(tokens)
    x = keras.layers.GlobalAveragePooling1D()(x)
    model = keras.Model(tokens, keras.layers.Dense(3, activation="softmax")(x))
    labels = np.arange(48) % 3
    ids = np.random.default_rng(0).integers(0, 3, (48, 6)) + 3 * labels[:, None]
    split = dataset.Split(
        name="train",
        inputs={"tokens": ids.astype(np.int32)},
        labels=labels,
        ids=np.arange(48),
    )
    options = training.TrainingOptions(
        epochs=10, batch_size=8, learning_rate=0.05
    )
    history = training.fit(model, split, split, options)
    assert history.validation_accuracy[-1] > 0.9


def test_shows_the_loss_of_a_model_without_accuracy():
    lines = []
    fit(tiny.autoencoder(), log=lines.append, epochs=1)
    assert re.match(r"epoch 1/1: loss \d.*, validation loss \d", lines[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: tiny.classifier(activation=None),
            "Only models that end in a softmax can be trained.",
        ),
        (
            lambda: tiny.classifier(num_classes=2),
            "Labels must be in [0, 2), the model's classes. Received: 0 to 2 "
            "in split='train'",
        ),
        (
            lambda: tiny.classifier(num_classes=1, activation="sigmoid"),
            "with output shapes [(8, 1)]",
        ),
    ],
    ids=["logits", "classes", "one output"],
)
def test_rejects_a_model_that_does_not_fit(make, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        fit(make(), epochs=1)
