# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.keras_models import tiny
from tflite_opt.keras_models import teaching, training
from tflite_opt.records import errors
from tflite_opt.records import training as training_record

pytestmark = pytest.mark.tensorflow

VALIDATION = tiny.split("validation", count=24, seed=1)


def distilled(student, teacher, train=None, options=(), **distillation):
    options = {"epochs": 8, "batch_size": 8, "learning_rate": 0.02} | dict(
        options
    )
    return training.fit(
        student,
        train or tiny.split(),
        VALIDATION,
        training.TrainingOptions(**options),
        distillation=training_record.Distillation(**distillation),
        teacher=teacher,
    )


@pytest.fixture(scope="module")
def teacher():
    training.make_reproducible(5)
    model = tiny.classifier()
    options = training.TrainingOptions(
        epochs=8, batch_size=8, learning_rate=0.02
    )
    training.fit(model, tiny.split(), VALIDATION, options)
    return model


def student():
    """Another architecture, with wider features."""
    import tf_keras as keras

    training.make_reproducible(3)
    return keras.Sequential(
        [
            keras.Input((4, 4, 1), name="pixels"),
            keras.layers.Flatten(),
            keras.layers.Dense(8, activation="relu", name="hidden"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def shuffled_labels():
    split = tiny.split()
    labels = np.random.default_rng(0).permutation(split.labels)
    return type(split)(
        name="train", inputs=split.inputs, labels=labels, ids=split.ids
    )


def predict(model, inputs=VALIDATION.inputs["x"]):
    return model.predict(inputs, verbose=0)


@pytest.mark.parametrize("augmentation", ["none", "shift"])
def test_a_teacher_alone_teaches_what_wrong_labels_do_not(
    teacher, augmentation
):
    before = [x.copy() for x in teacher.get_weights()]
    model = student()
    history = distilled(
        model,
        teacher,
        shuffled_labels(),
        {"augmentation": augmentation, "epochs": 12},
        weight=1.0,
    )
    agreement = np.mean(
        predict(model).argmax(axis=1) == predict(teacher).argmax(axis=1)
    )
    assert agreement > 0.8
    assert max(history.validation_accuracy) > 0.8
    for old, new in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_teacher_without_weight_changes_nothing_but_rounding(teacher):
    alone, taught = student(), student()
    options = training.TrainingOptions(
        epochs=2, batch_size=8, label_smoothing=0.1
    )
    wanted = training.fit(alone, tiny.split(), VALIDATION, options)
    found = distilled(
        taught,
        teacher,
        options={"learning_rate": 1e-3, "epochs": 2, "label_smoothing": 0.1},
        weight=0.0,
    )
    assert found.accuracy == wanted.accuracy
    np.testing.assert_allclose(found.loss, wanted.loss, rtol=1e-4)
    np.testing.assert_allclose(
        found.validation_loss, wanted.validation_loss, rtol=1e-4
    )
    np.testing.assert_allclose(predict(taught), predict(alone), atol=1e-4)


def test_features_of_the_student_become_similar_to_the_teachers(teacher):
    import tf_keras as keras

    def distance(model):
        def similarities(layer):
            features = predict(keras.Model(model.inputs, layer.output))
            flat = features.reshape(len(features), -1)
            products = flat @ flat.T
            return products / np.linalg.norm(products, axis=1, keepdims=True)

        mine = similarities(model.get_layer("hidden"))
        flat = predict(
            keras.Model(teacher.inputs, teacher.get_layer("relu").output)
        ).reshape(24, -1)
        products = flat @ flat.T
        theirs = products / np.linalg.norm(products, axis=1, keepdims=True)
        return np.square(mine - theirs).sum()

    with_features, without = student(), student()
    distilled(
        with_features,
        teacher,
        features={"hidden": "relu"},
        feature_weight=10.0,
    )
    distilled(without, teacher)
    assert distance(with_features) < 0.5 * distance(without)


def test_a_wrapped_layer_is_found_by_the_name_of_what_it_wraps(teacher):
    import tf_keras as keras

    class Wrapped(keras.layers.Wrapper):
        def call(self, inputs):
            return self.layer(inputs)

    def wrap(layer):
        return Wrapped(layer, name=f"wrapped_{layer.name}")

    model = student()
    wrapped = keras.models.clone_model(model, clone_function=wrap)
    lesson = teaching.prepare(
        wrapped,
        teacher,
        training_record.Distillation(features={"hidden": "relu"}),
    )
    assert lesson.student_widths == (8,)
    assert lesson.teacher_widths == (16,)
    assert lesson.student.output_shape == (None, 3 + 8)
    assert lesson.ask([VALIDATION.inputs["x"]]).shape == (24, 3 + 16)


def test_an_autoencoder_learns_from_another(teacher):
    first = tiny.autoencoder()
    options = training.TrainingOptions(epochs=8, batch_size=8)
    training.fit(first, tiny.split(), VALIDATION, options)
    taught = tiny.autoencoder()
    before = np.square(predict(taught) - predict(first)).mean()
    history = distilled(taught, first, weight=1.0)
    assert np.square(predict(taught) - predict(first)).mean() < 0.5 * before
    images = VALIDATION.inputs["x"]
    error = np.square(predict(taught) - images).mean()
    assert error == pytest.approx(min(history.validation_loss), rel=1e-4)


def test_class_weights_and_a_teacher_go_together(teacher):
    model = student()
    distilled(
        model,
        teacher,
        options={"class_weights": (0.0, 1.0, 0.0), "learning_rate": 0.1},
        weight=0.0,
    )
    assert (predict(model).argmax(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("make", "distillation", "message"),
    [
        (
            lambda: tiny.classifier(num_classes=4),
            {},
            "The teacher must have the student's classes or outputs. Received: "
            "a teacher with output shape (None, 4) for a student with "
            "(None, 3).",
        ),
        (
            lambda: tiny.classifier(activation=None),
            {},
            "Only models that end in a softmax can be trained.",
        ),
        (lambda: None, {}, "Distillation needs a teacher beside the model."),
        (
            tiny.classifier,
            {"features": {"hidden": "body"}},
            "`features` must name layers of the teacher. Received: 'body'. "
            "Known: image, conv, bn, relu, flatten, scores.",
        ),
    ],
    ids=["classes", "logits", "none", "feature"],
)
def test_refuses_a_teacher_that_does_not_fit(make, distillation, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        distilled(student(), make(), **distillation)
