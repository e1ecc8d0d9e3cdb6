# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.keras_models.rewriting import same
from tflite_opt.keras_models.rewriting import affine, graph

pytestmark = pytest.mark.tensorflow


def _layers():
    import tf_keras as keras

    return keras.layers


def _fold(shape, *names):
    """Rewrites layers, each given by a function of `tf_keras.layers`."""
    layers = [make(_layers()) for make in names]
    return same.rewritten(same.chain(shape, *layers), affine.fold)


@pytest.mark.parametrize(
    ("shape", "make", "kind"),
    [
        ((5, 5, 2), lambda k: k.Conv2D(3, 3, use_bias=False), "Conv2D"),
        ((5, 5, 2), lambda k: k.Conv2DTranspose(3, 3), "Conv2DTranspose"),
        (
            (5, 5, 2),
            lambda k: k.DepthwiseConv2D(3, depth_multiplier=2),
            "DepthwiseConv2D",
        ),
        ((5, 2), lambda k: k.Conv1D(3, 3), "Conv1D"),
        ((5,), lambda k: k.Dense(3), "Dense"),
    ],
)
def test_batch_normalization_vanishes_in_the_weights_before(shape, make, kind):
    found = _fold(shape, make, lambda k: k.BatchNormalization())
    assert same.kinds(found) == [kind]
    assert found.calls[0].layer.use_bias


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("center", [True, False])
def test_settings_of_batch_normalization_are_followed(scale, center):
    found = _fold(
        (4,),
        lambda k: k.Dense(3),
        lambda k: k.BatchNormalization(scale=scale, center=center, epsilon=0.1),
    )
    assert same.kinds(found) == ["Dense"]


def test_behind_something_else_it_is_a_depthwise_convolution():
    found = _fold(
        (6, 6, 2),
        lambda k: k.MaxPooling2D(),
        lambda k: k.BatchNormalization(name="bn"),
        lambda k: k.ReLU(),
    )
    assert same.kinds(found) == ["MaxPooling2D", "DepthwiseConv2D", "ReLU"]
    assert found.calls[1].layer.name == "bn"


def test_without_an_image_it_is_a_scale():
    found = _fold((6, 2), lambda k: k.ReLU(), lambda k: k.BatchNormalization())
    assert same.kinds(found) == ["ReLU", "ChannelScale"]


def test_preprocessing_in_a_row_is_one_operation_that_is_not_trained():
    found = _fold(
        (4, 4, 2),
        lambda k: k.Rescaling(1 / 255, 0.5),
        lambda k: k.Normalization(mean=[0.5, 0.4], variance=[0.2, 0.3]),
        lambda k: k.Conv2D(3, 3, padding="same"),
    )
    assert same.kinds(found) == ["DepthwiseConv2D", "Conv2D"]
    assert not found.calls[0].layer.trainable


def test_one_scale_for_all_stays_a_rescaling():
    found = _fold(
        (4, 4, 2),
        lambda k: k.Rescaling(1 / 255),
        lambda k: k.Conv2D(3, 3, padding="same"),
    )
    assert same.kinds(found) == ["Rescaling", "Conv2D"]


def test_a_convolution_that_others_read_keeps_its_weights():
    import tf_keras as keras

    image = keras.Input((4, 4, 2))
    conv = keras.layers.Conv2D(2, 1)(image)
    bn = keras.layers.BatchNormalization()(conv)
    model = keras.Model(image, keras.layers.Add()([bn, conv]))
    found = same.rewritten(model, affine.fold)
    assert same.kinds(found) == ["Conv2D", "DepthwiseConv2D", "Add"]


def test_an_activation_in_between_is_not_passed():
    found = _fold(
        (4,),
        lambda k: k.Dense(3, activation="relu"),
        lambda k: k.BatchNormalization(),
    )
    assert same.kinds(found) == ["Dense", "ChannelScale"]


def test_normalization_of_another_axis_stays():
    found = _fold((4, 3, 2), lambda k: k.BatchNormalization(axis=1))
    assert same.kinds(found) == ["BatchNormalization"]


def test_biases_are_never_all_the_same():
    model = same.chain((4,), _layers().Dense(3), _layers().Rescaling(1.0, 3.0))
    model.layers[0].bias.assign([0, 0, 0])

    found = graph.read(model)
    affine.fold(found)
    _, bias = found.calls[0].get_weights()
    assert len(np.unique(bias)) == 2
    np.testing.assert_allclose(bias, 3, rtol=1e-6)
