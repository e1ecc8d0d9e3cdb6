# SPDX-License-Identifier: Apache-2.0
"""The TFLite converter back end: frozen SavedModel to `.tflite`.

The only module that runs `tf.lite.TFLiteConverter`; TensorFlow is imported on
first use, in the child process of a conversion.
"""

import pathlib
from collections.abc import Iterator, Mapping

import numpy as np

from tflite_opt.records import conversion, errors


def convert(
    saved_model: pathlib.Path,
    options: conversion.ConverterOptions,
    representative: Mapping[str, np.ndarray],
) -> bytes:
    """Returns the `.tflite` of a frozen SavedModel.

    Args:
        saved_model: Directory with the signature `serving_default`.
        options: The converter's settings.
        representative: By input name, shape `(n, ...)`; looked at only if the
            options ask for it.

    Raises:
        ConversionError: If the converter rejects the model.
    """
    import tensorflow as tf
    from tensorflow.lite.python.convert_phase import ConverterError

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    wanted = {
        tf.lite.Optimize.DEFAULT: options.optimize,
        tf.lite.Optimize.EXPERIMENTAL_SPARSITY: options.sparse_encoding,
    }
    converter.optimizations = [name for name, is_on in wanted.items() if is_on]
    converter.target_spec.supported_ops = [
        getattr(tf.lite.OpsSet, options.supported_ops)
    ]
    converter.target_spec.supported_types = [
        getattr(tf, name) for name in options.supported_types
    ]
    if options.representative_dataset:
        converter.representative_dataset = lambda: _samples(representative)
    converter.inference_input_type = getattr(tf, options.inference_input_type)
    converter.inference_output_type = getattr(tf, options.inference_output_type)
    # The public API has no word for it, the converter itself does.
    converter._experimental_disable_per_channel = not options.per_channel
    converter.experimental_new_dynamic_range_quantizer = (
        options.new_dynamic_range_quantizer
    )
    try:
        content = converter.convert()
    except (ConverterError, ValueError, RuntimeError, TypeError) as error:
        raise errors.ConversionError(
            f"The TFLite converter rejected the model: {error}"
        ) from error
    return bytes(content)


def _samples(
    representative: Mapping[str, np.ndarray],
) -> Iterator[dict[str, np.ndarray]]:
    count = len(next(iter(representative.values())))
    for i in range(count):
        yield {name: array[i : i + 1] for name, array in representative.items()}
