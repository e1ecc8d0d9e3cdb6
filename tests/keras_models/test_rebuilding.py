# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import sys

import numpy as np
import pytest

from tests.keras_models import keras3_models
from tests.scripts import programs
from tflite_opt.keras_models import freezing, rebuilding, traceable

pytestmark = pytest.mark.tensorflow


def _examples(model, count=6):
    generator = np.random.default_rng(1)
    found = {}
    for spec in traceable.from_keras3(model).inputs:
        values = generator.random((count, *spec.shape[1:])) * 5
        found[spec.name] = values.astype(spec.dtype)
    return found


def _outputs(model, examples):
    return list(freezing.predict(model, examples).values())


@pytest.mark.parametrize(
    "make",
    [
        keras3_models.image_classifier,
        keras3_models.nested,
        keras3_models.recurrent,
        lambda: keras3_models.recurrent("GRU"),
        keras3_models.attention,
        keras3_models.two_by_two,
    ],
    ids=["image", "nested", "lstm", "gru", "attention", "two_by_two"],
)
def test_a_rebuilt_model_computes_the_same(make):
    import tf_keras as keras

    model = make()
    examples = _examples(model)
    rebuilt = rebuilding.rebuild(model)
    assert isinstance(rebuilt, keras.Model)
    expected = _outputs(traceable.from_keras3(model), examples)
    for old, new in zip(expected, _outputs(rebuilt, examples), strict=True):
        assert np.std(old) > 0
        np.testing.assert_allclose(old, new, atol=1e-6)


def test_layers_keep_their_names_and_weights():
    model = keras3_models.image_classifier()
    rebuilt = rebuilding.rebuild(model)
    for name in ("conv", "bn", "pointwise", "scores"):
        for old, new in zip(
            model.get_layer(name).get_weights(),
            rebuilt.get_layer(name).get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(old, new)
    assert rebuilt.count_params() == model.count_params()


def test_a_rebuilt_model_is_made_of_layers_that_are_saved_and_loaded(tmp_path):
    import tf_keras as keras

    rebuilt = rebuilding.rebuild(keras3_models.nested())
    rebuilt.save(tmp_path / "model.h5")
    loaded = keras.models.load_model(tmp_path / "model.h5")
    examples = _examples(keras3_models.nested())
    np.testing.assert_allclose(
        _outputs(rebuilt, examples)[0], _outputs(loaded, examples)[0]
    )


def test_a_frozen_layer_stays_frozen():
    model = keras3_models.image_classifier()
    model.get_layer("conv").trainable = False
    assert not rebuilding.rebuild(model).get_layer("conv").trainable


def _with_layer(make):
    import keras

    x = keras.Input((4, 4, 3), name="x")
    return keras.Model(x, make(keras)(x))


def _custom(keras):
    class Doubled(keras.layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    return Doubled(name="mine")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (
            lambda k: k.layers.RMSNormalization(name="rms"),
            "the layer 'rms' (RMSNormalization) exists in Keras 3 only",
        ),
        (_custom, "the layer 'mine' (Doubled) is a custom layer of Keras 3"),
        (
            lambda k: k.layers.Conv2D(2, 1, activation="celu", name="conv"),
            "the layer 'conv' (Conv2D) has the activation 'celu', which Keras "
            "2 lacks",
        ),
        (
            lambda k: k.ops.sin,
            "the operation Sin (sin) has no counterpart in Keras 2",
        ),
        (
            lambda k: k.layers.LayerNormalization(
                rms_scaling=True, name="norm"
            ),
            "the layer 'norm' (LayerNormalization) has rms_scaling=True, which "
            "Keras 2 lacks",
        ),
    ],
    ids=["new", "custom", "activation", "operation", "setting"],
)
def test_says_which_layer_cannot_be_rebuilt(make, reason):
    with pytest.raises(rebuilding.NoCounterpartError, match=re.escape(reason)):
        rebuilding.rebuild(_with_layer(make))


def test_an_activation_inside_a_loop_must_be_known():
    import keras

    steps = keras.Input((4, 3))
    layer = keras.layers.LSTM(2, recurrent_activation="hard_sigmoid", name="l")
    model = keras.Model(steps, layer(steps))
    with pytest.raises(rebuilding.NoCounterpartError, match="inside its loop"):
        rebuilding.rebuild(model)


def test_a_subclassed_model_has_no_graph():
    import keras

    class Mine(keras.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(rebuilding.NoCounterpartError, match="subclass"):
        rebuilding.rebuild(Mine(name="mine"))


def _rare(code):
    return pytest.param(code, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "first",
    [
        "import tensorflow as tf; tf.keras",
        _rare("import tf_keras, keras"),
        _rare("import keras, tf_keras"),
        _rare("import tensorflow_model_optimization, keras"),
        _rare("import keras, tensorflow_model_optimization"),
    ],
)
def test_both_generations_work_in_whatever_order_they_are_imported(first):
    code = (
        f"{first}\n"
        "from tests.keras_models import keras3_models\n"
        "from tflite_opt.keras_models import rebuilding\n"
        "import tensorflow_model_optimization as tfmot\n"
        "model = rebuilding.rebuild(keras3_models.nested())\n"
        "tfmot.sparsity.keras.prune_low_magnitude(model.layers[-1])\n"
        "print(type(model).__module__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=programs.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().startswith("tf_keras.")
