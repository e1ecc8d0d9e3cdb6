# SPDX-License-Identifier: Apache-2.0
"""Writes one model of keras.applications with honest batch statistics.

Run as `python -m tflite_opt.studies.stock_model REQUEST.json`, in a process of
its own: it imports TensorFlow. Weights are random. Batch normalization with
its initial statistics lets activations grow or vanish layer by layer, and
quantization then measures nothing: so the statistics are those of real images.
"""

import dataclasses
import pathlib
import sys
from typing import Any, Literal

import numpy as np

from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import sources
from tflite_opt.records import serialization

Generation = Literal["keras2", "keras3"]

_BATCH_SIZE = 32
_NUM_BATCHES = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(serialization.Record):
    """What to write, and where.

    Attributes:
        generation: Of Keras.
        name: Of the function in keras.applications.
        data: Images of the size and preprocessing that the model is for.
        path: `.h5` for Keras 2, `.keras` for Keras 3.
    """

    generation: Generation
    name: str
    data: dataset_lib.DataSpec
    path: pathlib.Path


def write(request: Request) -> None:
    """Builds the model, gives it statistics, and saves it."""
    if request.generation == "keras2":
        import tf_keras as keras
    else:
        import keras
    keras.utils.set_random_seed(0)
    images = sources.load(request.data)["train"].inputs[dataset_lib.IMAGE_INPUT]
    model = getattr(keras.applications, request.name)(
        weights=None,
        input_shape=images.shape[1:],
        # Probabilities of a random network are all the same.
        classifier_activation=None,
    )
    set_statistics(model, images)
    request.path.parent.mkdir(parents=True, exist_ok=True)
    model.save(request.path)


def set_statistics(model: Any, images: Any) -> None:
    """Gives batch normalization the statistics of some batches.

    Args:
        model: Of Keras 2 or 3; each batch weighs the same.
        images: Shape `(n, height, width, channels)`, as the model takes them.
    """
    layers = list(_layers(model))
    moments = [layer.momentum for layer in layers]
    for index in range(_NUM_BATCHES):
        start = index * _BATCH_SIZE
        for layer in layers:
            layer.momentum = index / (index + 1)
        model(np.asarray(images[start : start + _BATCH_SIZE]), training=True)
    for layer, momentum in zip(layers, moments, strict=True):
        layer.momentum = momentum


def _layers(model: Any) -> Any:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        elif hasattr(layer, "moving_variance"):
            yield layer


if __name__ == "__main__":
    write(Request.load(pathlib.Path(sys.argv[1])))
