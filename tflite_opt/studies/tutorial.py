# SPDX-License-Identifier: Apache-2.0
"""What TensorFlow's own tutorials do, as the other side of a comparison.

Run as `python -m tflite_opt.studies.tutorial convert|predict ...`. Written as
the guides on post-training quantization show it: a converter built from the
Keras model for each variant, and one image after another for evaluation.

References:
    https://ai.google.dev/edge/litert/models/post_training_integer_quant
"""

import json
import pathlib
import sys
import time

import numpy as np

VARIANTS = (
    "float32",
    "float16",
    "dynamic_range",
    "int8",
    "int8_uint8_io",
    "int8_float_io",
    "int16x8",
)


def convert(model_path: str, samples_path: str, folder: str) -> None:
    """Converts a Keras model to all variants and prints each one's seconds."""
    import tensorflow as tf
    import tf_keras as keras

    model = keras.models.load_model(model_path, compile=False)
    samples = np.load(samples_path)["samples"]
    seconds = {}
    for name in VARIANTS:
        start = time.perf_counter()
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        _configure(converter, name, samples)
        path = pathlib.Path(folder) / f"{name}.tflite"
        path.write_bytes(converter.convert())
        seconds[name] = time.perf_counter() - start
    sys.stdout.write("\n" + json.dumps(seconds) + "\n")


def _configure(converter, name: str, samples: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    import tensorflow as tf

    if name == "float32":
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if name == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if name in ("float16", "dynamic_range"):
        return
    converter.representative_dataset = lambda: (
        [samples[i : i + 1]] for i in range(len(samples))
    )
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        if name == "int16x8"
        else tf.lite.OpsSet.TFLITE_BUILTINS_INT8
    ]
    interface = {"int8": tf.int8, "int8_uint8_io": tf.uint8}.get(name)
    if interface is not None:
        converter.inference_input_type = interface
        converter.inference_output_type = interface


def predict(path: pathlib.Path, images: np.ndarray) -> np.ndarray:
    """Returns predictions, one image after another.

    Args:
        path: An int8 `.tflite` with one input and one output.
        images: Shape `(n, height, width, channels)`, float32.

    Returns:
        Class indices, shape `(n,)`.
    """
    from ai_edge_litert import interpreter as litert

    interpreter = litert.Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    input_details = interpreter.get_input_details()[0]
    output_details = interpreter.get_output_details()[0]
    predictions = np.zeros(len(images), np.int64)
    for i, image in enumerate(images):
        scale, zero_point = input_details["quantization"]
        quantized = np.rint(image / scale + zero_point)
        batch = np.expand_dims(quantized, axis=0).astype(input_details["dtype"])
        interpreter.set_tensor(input_details["index"], batch)
        interpreter.invoke()
        output = interpreter.get_tensor(output_details["index"])[0]
        predictions[i] = output.argmax()
    return predictions


if __name__ == "__main__":
    convert(*sys.argv[1:4])
