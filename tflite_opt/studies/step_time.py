# SPDX-License-Identifier: Apache-2.0
"""Times a training step with and without the techniques that train.

Run as `python -m tflite_opt.studies.step_time REQUEST.json OUT.json`, in a
process of its own: it imports TensorFlow. Included is all that a technique
does between the ends of two steps; tracing is not.
"""

import dataclasses
import pathlib
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.data import dataset as dataset_lib
from tflite_opt.keras_models import fine_tuning, reference, training
from tflite_opt.records import files, serialization
from tflite_opt.records import training as training_record
from tflite_opt.techniques import base, clustering, pruning
from tflite_opt.techniques import quantization_aware_training as aware

FLOAT = "float"
_OF_TECHNIQUES: Mapping[str, base.CompressionTechnique] = {
    "pruning": pruning.Pruning(final_sparsity=0.8),
    "clustering": clustering.Clustering(),
    "quantization_aware_training": aware.QuantizationAwareTraining(),
}
TECHNIQUES = (FLOAT, *_OF_TECHNIQUES)

_SHAPE = (28, 28, 1)
_CLASSES = 10
_BATCH_SIZE = 64
_STEPS = 40
# Tracing, and memory that is touched for the first time.
_SKIPPED = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(serialization.Record):
    """How often each technique is timed."""

    rounds: int


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class _Timed(fine_tuning.Context):
    """A context that times the steps of its trainings.

    Attributes:
        step_ms: Gets one entry for each step.
    """

    step_ms: list[float] = dataclasses.field(default_factory=list)

    def fit(
        self,
        model: Any,
        options: training_record.TrainingOptions,
        *,
        callbacks: Sequence[Any] = (),
    ) -> training_record.TrainingHistory:
        """Trains, and times."""
        return super().fit(
            model, options, callbacks=[*callbacks, _watch(self.step_ms)]
        )


def measure(rounds: int) -> dict[str, float]:
    """Returns milliseconds of a step by technique."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name in TECHNIQUES:
            spent = _median_ms(name)
            best[name] = min(spent, best.get(name, spent))
    return {f"{name}_ms": value for name, value in best.items()}


def _median_ms(name: str) -> float:
    import tf_keras as keras

    keras.backend.clear_session()
    model = reference.build("resnet8", _SHAPE, _CLASSES)
    context = _Timed(
        train=_split("train", _STEPS * _BATCH_SIZE),
        validation=_split("validation", _BATCH_SIZE),
        calibration=_split("calibration", _BATCH_SIZE),
        options=training_record.TrainingOptions(
            epochs=1, batch_size=_BATCH_SIZE, learning_rate=1e-4
        ),
    )
    apply: Callable[..., Any] = (
        context.fit if name == FLOAT else _OF_TECHNIQUES[name].apply
    )
    apply(model, context.options if name == FLOAT else context)
    return statistics.median(context.step_ms[_SKIPPED:])


def _watch(step_ms: list[float]) -> Any:
    """Returns a callback that times from the end of a step to the next."""
    import tf_keras as keras

    class Watch(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            self._last = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            now = time.perf_counter()
            step_ms.append(1000 * (now - self._last))
            self._last = now

    return Watch()


def _split(name: str, count: int) -> dataset_lib.Split:
    generator = np.random.default_rng(0)
    return dataset_lib.Split(
        name=name,
        inputs={
            dataset_lib.IMAGE_INPUT: generator.random(
                (count, *_SHAPE), np.float32
            )
        },
        labels=generator.integers(0, _CLASSES, count),
        ids=np.arange(count),
    )


if __name__ == "__main__":
    training.make_reproducible(0)
    found = measure(Request.load(pathlib.Path(sys.argv[1])).rounds)
    files.write_json(pathlib.Path(sys.argv[2]), found)
