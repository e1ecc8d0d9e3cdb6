# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.keras_models import tiny
from tflite_opt.keras_models import training_losses
from tflite_opt.records import errors, training


class Model:
    name = "model"
    output_shape = (None, 3)


def weights(split=None, objective="classification", **options):
    return training_losses.class_weights(
        Model(),
        split or tiny.split(),
        training.TrainingOptions(**options),
        objective,
    )


def test_without_class_weights_all_examples_count_the_same():
    assert weights() is None


def test_given_class_weights_are_taken():
    np.testing.assert_array_equal(
        weights(class_weights=(1, 0, 2.5)), [1, 0, 2.5]
    )


def test_balanced_classes_count_the_same_and_1_on_average():
    labels = np.array([0, 0, 0, 1])
    split = tiny.split(count=4)
    split = type(split)(
        name="train", inputs=split.inputs, labels=labels, ids=split.ids
    )
    found = weights(split, balance_classes=True)
    # The third class has no example.
    np.testing.assert_allclose(found[:2], [4 / 6, 2])
    assert found[labels].mean() == pytest.approx(1)


def test_refuses_class_weights_of_other_classes():
    message = (
        "`class_weights` must have one value for each of 3 classes. "
        "Received: class_weights=(1, 2)"
    )
    with pytest.raises(errors.InputError, match=re.escape(message)):
        weights(class_weights=(1, 2))


def test_refuses_class_weights_of_a_reconstruction():
    with pytest.raises(errors.InputError, match="are for classifiers."):
        weights(objective="reconstruction", balance_classes=True)


@pytest.mark.tensorflow
def test_softened_divergence_is_that_of_softened_logits():
    import tensorflow as tf

    teacher, student = np.random.default_rng(0).normal(size=(2, 5, 4))

    def softmax(logits):
        powers = np.exp(logits)
        return powers / powers.sum(axis=1, keepdims=True)

    p, q = softmax(teacher / 3), softmax(student / 3)
    found = training_losses._softened_divergence(
        tf.constant(softmax(teacher)), tf.constant(softmax(student)), 3.0
    )
    np.testing.assert_allclose(found, 9 * np.sum(p * np.log(p / q), axis=1))


@pytest.mark.tensorflow
def test_similarities_do_not_depend_on_the_width_of_features():
    import tensorflow as tf

    features = np.random.default_rng(0).normal(size=(5, 4))
    wider = np.concatenate([features, 0 * features], axis=1)
    found = training_losses._similarities(tf.constant(2 * wider))
    np.testing.assert_allclose(
        found, training_losses._similarities(tf.constant(features))
    )
    np.testing.assert_allclose(np.sum(np.square(found), axis=1), 1)
