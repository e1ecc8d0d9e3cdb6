# SPDX-License-Identifier: Apache-2.0
"""Small models from the real converter and the real quantizer."""

import contextlib
import io
import pathlib

import numpy as np
import pytest

from tests import shared_folder


def _convert(function, module, **settings):
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function], module
    )
    spec = settings.pop("target_spec", {})
    for name, value in spec.items():
        setattr(converter.target_spec, name, value)
    for name, value in settings.items():
        setattr(converter, name, value)
    return converter.convert()


def _conv_net():
    import tensorflow as tf
    import tf_keras as keras

    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(8, 3, bias_initializer="ones")(image)
    x = keras.layers.DepthwiseConv2D(3, bias_initializer="ones")(x)
    x = keras.layers.Flatten()(x)
    scores = keras.layers.Dense(10, bias_initializer="ones")(x)
    model = keras.Model(image, scores)
    function = tf.function(lambda image: {"scores": model(image)})
    return model, function.get_concrete_function(
        tf.TensorSpec((1, 8, 8, 3), tf.float32, name="image")
    )


def _images():
    generator = np.random.default_rng(0)
    for _ in range(8):
        yield [generator.random((1, 8, 8, 3), np.float32)]


def _write_conv_nets(folder):
    import tensorflow as tf

    model, function = _conv_net()
    default = [tf.lite.Optimize.DEFAULT]
    variants = {
        "float32": {},
        "outside": {"_experimental_use_buffer_offset": True},
        "float16": {
            "optimizations": default,
            "target_spec": {"supported_types": [tf.float16]},
        },
        "int8": {
            "optimizations": default,
            "representative_dataset": _images,
            "inference_input_type": tf.int8,
            "inference_output_type": tf.int8,
            "target_spec": {
                "supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            },
        },
    }
    for name, settings in variants.items():
        content = _convert(function, model, **settings)
        (folder / f"{name}.tflite").write_bytes(content)


def _write_control_flow(folder):
    import tensorflow as tf

    module = tf.Module()
    matrix = tf.constant(2 * np.eye(4, dtype=np.float32))
    module.call = tf.function(
        lambda x: tf.while_loop(
            lambda i, y: i < 3,
            lambda i, y: (i + 1, tf.matmul(y, matrix)),
            [tf.constant(0), x],
        )[1]
    )
    function = module.call.get_concrete_function(
        tf.TensorSpec((1, 4), tf.float32, name="x")
    )
    (folder / "while.tflite").write_bytes(_convert(function, module))
    custom = tf.Module()
    custom.call = tf.function(lambda x: tf.raw_ops.Betainc(a=x, b=x, x=x))
    function = custom.call.get_concrete_function(
        tf.TensorSpec((1, 4), tf.float32, name="x")
    )
    content = _convert(function, custom, allow_custom_ops=True)
    (folder / "custom.tflite").write_bytes(content)


def _write_lstm(folder):
    import tensorflow as tf
    import tf_keras as keras

    keras.utils.set_random_seed(0)
    steps = keras.Input((5, 4), batch_size=1, name="steps")
    model = keras.Model(steps, keras.layers.LSTM(6)(steps))
    model.export(str(folder / "lstm"))
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "lstm"))
    (folder / "lstm.tflite").write_bytes(converter.convert())


def _write_quantized(folder):
    from litert_quantizer import quantizer, recipe

    for name, chosen in {
        "weight_only_int4": recipe.weight_only_wi4_afp32(),
        "weight_only_int8": recipe.weight_only_wi8_afp32(),
    }.items():
        job = quantizer.Quantizer(str(folder / "float32.tflite"))
        job.load_quantization_recipe(chosen)
        content = bytes(job.quantize().quantized_model)
        (folder / f"{name}.tflite").write_bytes(content)


@pytest.fixture(scope="session")
def converted(tmp_path_factory) -> pathlib.Path:
    """Returns a folder of models; tests that use it import TensorFlow."""
    return shared_folder.made_once(tmp_path_factory, "converted", _write_all)


def _write_all(folder):
    with contextlib.redirect_stdout(io.StringIO()):
        _write_conv_nets(folder)
        _write_control_flow(folder)
        _write_lstm(folder)
        _write_quantized(folder)


@pytest.fixture
def images() -> np.ndarray:
    """Returns inputs for the conv nets."""
    return np.random.default_rng(1).random((70, 8, 8, 3), np.float32)
