# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tflite_opt.keras_models.quantization import objects

pytestmark = pytest.mark.tensorflow


def _kernel(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _round(kernel, axes):
    import tensorflow as tf

    quantizer = objects.kernel_quantizer_class()(axes)
    return quantizer(tf.constant(kernel), True, {}).numpy()


@pytest.mark.parametrize(
    ("shape", "axes"), [((3, 3, 4, 5), (3,)), ((3, 3, 4, 2), (2, 3))]
)
def test_each_output_channel_has_a_grid_of_its_own(shape, axes):
    kernel = _kernel(*shape)
    others = tuple(i for i in range(4) if i not in axes)
    scale = np.abs(kernel).max(others, keepdims=True) / 127
    codes = _round(kernel, axes) / scale
    np.testing.assert_allclose(codes, np.round(kernel / scale), atol=1e-4)
    assert np.abs(codes).max() == pytest.approx(127)


def test_zeros_and_rounded_weights_stay():
    kernel = _kernel(3, 3, 4, 5)
    kernel[0] = kernel[..., 2] = 0
    once = _round(kernel, (3,))
    assert (once[kernel == 0] == 0).all()
    np.testing.assert_allclose(_round(once, (3,)), once, atol=1e-7)


def test_rounding_passes_the_gradient_on():
    import tensorflow as tf

    kernel = tf.Variable(_kernel(4, 2))
    quantizer = objects.kernel_quantizer_class()((-1,))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(quantizer(kernel, True, {}) * 3)
    np.testing.assert_array_equal(
        tape.gradient(loss, kernel), np.full((4, 2), 3)
    )


def test_objects_survive_their_configuration():
    config = objects.quantize_config_class()({"kernel": (3,)}, "unit")
    again = type(config).from_config(config.get_config())
    assert again.get_config() == config.get_config()
    quantizer = objects.kernel_quantizer_class()((2, 3))
    again = type(quantizer).from_config(quantizer.get_config())
    assert again.channel_axes == (2, 3)


def test_a_wrapper_gives_the_layer_its_variables_back():
    import tf_keras as keras

    layer = keras.layers.Dense(2, name="dense")
    config = objects.quantize_config_class()({"kernel": (-1,)}, "moving")
    wrapper = objects.wrapper_class()(layer, config, name_prefix="")
    keras.Sequential([keras.Input((3,)), wrapper])
    assert layer.kernel.numpy().shape == (3, 2)
    assert wrapper.name == "dense"
    assert len(wrapper.trainable_weights) == 2


def test_ranges_of_probabilities_are_those_that_tflite_fixes():
    import tensorflow as tf

    quantizer = objects.range_quantizer("unit")
    found = quantizer(tf.constant([0.0, 0.501, 1.0]), True, {})
    np.testing.assert_allclose(found, [0, 128 / 256, 255 / 256])
