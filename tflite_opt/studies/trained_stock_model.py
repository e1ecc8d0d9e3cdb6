# SPDX-License-Identifier: Apache-2.0
"""Trains one model of keras.applications two steps by each technique.

Run as `python -m tflite_opt.studies.trained_stock_model REQUEST.json OUT.json`,
in a process of its own: it imports TensorFlow. Weights are random, so what is
judged is coverage, and the noise between the trained model and its `.tflite`.
"""

import dataclasses
import pathlib
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tflite_opt.conversion import tflite_converter
from tflite_opt.data import dataset as dataset_lib
from tflite_opt.data import sources
from tflite_opt.keras_models import (
    fine_tuning,
    freezing,
    layer_weights,
    saving,
    training,
)
from tflite_opt.keras_models.support import base as support_base
from tflite_opt.records import conversion, files, serialization
from tflite_opt.records import training as training_record
from tflite_opt.studies import signal, stock_model
from tflite_opt.techniques import pruning, quantization_aware_training
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import interpreter

_STEPS = 2
_BATCH_SIZE = 16
_SPARSITY = 0.5
_CLASSES = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(serialization.Record):
    """Which model, and images of the size and preprocessing it is for."""

    name: str
    data: dataset_lib.DataSpec


def measure(request: Request) -> dict[str, float]:
    """Returns the figures of one model."""
    import tf_keras as keras

    data = sources.load(request.data)
    keras.utils.set_random_seed(0)
    images = data["train"].inputs[dataset_lib.IMAGE_INPUT]
    model = getattr(keras.applications, request.name)(
        weights=None, input_shape=images.shape[1:], classes=_CLASSES
    )
    stock_model.set_statistics(model, images)
    context = fine_tuning.Context(
        train=data["train"].take(np.arange(_STEPS * _BATCH_SIZE), "train"),
        validation=data["validation"],
        calibration=data["calibration"],
        options=training_record.TrainingOptions(
            epochs=1, batch_size=_BATCH_SIZE, learning_rate=1e-5
        ),
    )
    return {
        **_of_tf_mot(model),
        **_pruned(_copy(model), context),
        **_quantized(_copy(model), context, data),
    }


def _copy(model: Any) -> Any:
    import tf_keras as keras

    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def _of_tf_mot(model: Any) -> dict[str, float]:
    """Returns whether TF-MOT's own functions take the model."""
    from tensorflow_model_optimization.quantization import (
        keras as quantization,
    )
    from tensorflow_model_optimization.sparsity import keras as sparsity

    def takes(function: Callable[[Any], Any]) -> float:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function(_copy(model))
        except support_base.refusals():
            return 0.0
        return 1.0

    return {
        "tf_mot_quantizes": takes(quantization.quantize_model),
        "tf_mot_prunes": takes(sparsity.prune_low_magnitude),
    }


def _pruned(model: Any, context: fine_tuning.Context) -> dict[str, float]:
    found = pruning.Pruning(final_sparsity=_SPARSITY).apply(model, context)
    kept = layer_weights.measure(found.model, found.promises)
    for promise in kept:
        promise.require()
    covered = sum(x.num_elements for x in kept)
    zeros = sum(x.zero_fraction * x.num_elements for x in kept)
    return {
        "pruned_weight_fraction": covered / found.model.count_params(),
        "zero_fraction": zeros / covered,
    }


def _quantized(
    model: Any, context: fine_tuning.Context, data: dataset_lib.Dataset
) -> dict[str, float]:
    import tf_keras as keras

    started = time.perf_counter()
    technique = quantization_aware_training.QuantizationAwareTraining()
    found = technique.apply(model, context).model
    seconds = time.perf_counter() - started
    # Probabilities of a random network are all the same.
    scores = keras.Model(found.input, found.layers[-1].input)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        saving.save(found, folder / "model.h5")
        freezing.freeze(scores, folder / "saved_model")
        path = folder / "model.tflite"
        inputs = _named(scores, data["test"])
        path.write_bytes(
            _convert(
                folder / "saved_model", _named(scores, data["calibration"])
            )
        )
        facts = facts_reader.read_facts(path)
        (expected,) = freezing.predict(scores, inputs).values()
        (outputs,) = interpreter.predict(path, inputs).values()
    mean = expected.mean(axis=0)
    same = expected.argmax(axis=1) == outputs.argmax(axis=1)
    return {
        "int8_weight_fraction": facts.quantized_weight_fraction,
        "signal_to_noise_db": signal.to_noise_db(expected, outputs),
        "variation_to_noise_db": signal.to_noise_db(
            expected - mean, outputs - mean
        ),
        "top1_agreement": float(same.mean()),
        "qat_seconds": seconds,
    }


def _named(model: Any, split: dataset_lib.Split) -> Mapping[str, np.ndarray]:
    (spec,) = freezing.input_specs(model)
    return {spec.name: split.inputs[dataset_lib.IMAGE_INPUT][:]}


def _convert(
    saved_model: pathlib.Path, inputs: Mapping[str, np.ndarray]
) -> bytes:
    return tflite_converter.convert(
        saved_model,
        conversion.ConverterOptions(
            optimize=True,
            supported_ops="TFLITE_BUILTINS_INT8",
            representative_dataset=True,
        ),
        inputs,
    )


if __name__ == "__main__":
    training.make_reproducible(0)
    files.write_json(
        pathlib.Path(sys.argv[2]),
        measure(Request.load(pathlib.Path(sys.argv[1]))),
    )
