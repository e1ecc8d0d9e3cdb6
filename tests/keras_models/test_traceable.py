# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.keras_models import tiny
from tflite_opt.keras_models import freezing, traceable
from tflite_opt.records import errors

pytestmark = pytest.mark.tensorflow


def test_rejects_text():
    import tf_keras as keras

    x = keras.Input((1,), dtype="string", name="text")
    y = keras.layers.StringLookup(vocabulary=["a"])(x)
    with pytest.raises(errors.ModelError, match="'text' of type string"):
        traceable.from_keras(keras.Model(x, y))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"other": (1, 2)}, "Received: other. The model has image."),
        ({"image": (1, 5, 4, 1)}, "with sizes for -1. Received: (1, 5, 4, 1)"),
        ({"image": (2, 4, 4, 1)}, "Received: (2, 4, 4, 1)"),
        ({"image": (1, 4)}, "Received: (1, 4)"),
    ],
    ids=["unknown", "fixed", "batch", "rank"],
)
def test_rejects_sizes_that_the_model_does_not_take(shapes, message):
    model = traceable.from_keras(tiny.classifier())
    with pytest.raises(errors.ModelError, match=re.escape(message)):
        model.with_sizes(shapes)


def test_open_sizes_are_filled_in(tmp_path):
    import tensorflow as tf
    import tf_keras as keras

    sound = keras.Input((None, 2), name="sound")
    y = keras.layers.GlobalAveragePooling1D(name="mean")(
        keras.layers.Conv1D(3, 3)(sound)
    )
    model = traceable.from_keras(keras.Model(sound, y))
    assert model.inputs[0].shape == (1, -1, 2)
    freezing.freeze(model.with_sizes({"sound": (1, 9, 2)}), tmp_path / "f")
    serve = tf.saved_model.load(str(tmp_path / "f")).signatures[
        "serving_default"
    ]
    _, specs = serve.structured_input_signature
    assert specs["sound"].shape.as_list() == [1, 9, 2]


def test_a_subclassed_model_goes_by_what_it_was_called_with():
    model = tiny.Subclassed()
    with pytest.raises(errors.ModelError, match="which was never built"):
        traceable.from_keras(model)
    model(np.zeros((5, 3), np.float32))
    found = traceable.from_keras(model)
    assert [(s.name, s.shape) for s in found.inputs] == [("inputs", (1, 3))]
    (output,) = freezing.predict(
        found, {"inputs": np.ones((4, 3), np.float32)}
    ).values()
    assert output.shape == (4, 2)
