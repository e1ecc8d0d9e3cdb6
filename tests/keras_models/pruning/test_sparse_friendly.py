# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.keras_models.pruning import sparse_friendly

pytestmark = pytest.mark.tensorflow


def network(side, head="convolution"):
    import tf_keras as keras

    layers = keras.layers
    image = keras.Input((side, side, 3), name="image")
    x = layers.Conv2D(8, 3, 2, padding="same", name="stem")(image)
    x = layers.DepthwiseConv2D(
        3, 2, padding="same", activation="relu", name="depthwise"
    )(x)
    x = layers.DepthwiseConv2D(3, 1, padding="same", name="same_size")(x)
    x = layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)
    if head == "convolution":
        x = layers.Dropout(0.5, name="dropout")(x)
        x = layers.Conv2D(4, 1, name="logits")(x)
        x = layers.Reshape((4,), name="reshape")(x)
    else:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4, name="logits")(x)
    return keras.Model(image, layers.Softmax(name="probabilities")(x))


def rewritten(model, side):
    """Returns the new model and notes, after comparing what it computes."""
    images = np.random.default_rng(0).normal(size=(5, side, side, 3))
    before = model.predict(images, verbose=0)
    found, notes = sparse_friendly.rewrite(model)
    after = found.predict(images, verbose=0)
    np.testing.assert_allclose(after, before, atol=1e-6)
    return found, notes


def test_same_padding_of_odd_sides_is_written_out():
    found, notes = rewritten(network(13, head="dense"), 13)
    names = [layer.name for layer in found.layers]
    assert names[1:5] == ["stem_pad", "stem", "depthwise_pad", "depthwise"]
    for name in ("stem", "depthwise"):
        assert found.get_layer(name).padding == "valid"
        assert found.get_layer(f"{name}_pad").padding == ((1, 1), (1, 1))
    assert found.get_layer("same_size").padding == "same"
    assert notes == ("Padded in front, for sparse inference: stem, depthwise.",)


def test_same_padding_of_even_sides_stays_and_is_named():
    found, notes = rewritten(network(12, head="dense"), 12)
    assert found.get_layer("stem").padding == "same"
    (note,) = notes
    assert "is at one end only in stem, depthwise." in note


def test_a_classifier_of_1x1_convolutions_becomes_dense():
    found, notes = rewritten(network(13), 13)
    assert type(found.get_layer("logits")).__name__ == "Dense"
    assert notes[1] == "Made dense, for sparse inference: logits."
    assert found.input_names == ["image"]
