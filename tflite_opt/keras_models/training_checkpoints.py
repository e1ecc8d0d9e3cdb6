# SPDX-License-Identifier: Apache-2.0
"""What a killed training needs to go on as if nothing had happened.

A checkpoint is one `.npz` of the arrays that training changes: weights, also
those of wrappers, the optimizer's variables with its step, the weights kept so
far and the state of callbacks. Keras' own formats hold less, and models of
TF-MOT do not survive all of them.
"""

import dataclasses
import json
import pathlib
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.data import dataset
from tflite_opt.records import errors, files, training


def fingerprint(
    model: Any,
    splits: Sequence[dataset.Split],
    options: training.TrainingOptions,
    callbacks: Sequence[Any],
    distillation: training.Distillation | None,
    teacher: Any | None,
) -> str:
    """Returns a hash of all that decides which weights a training ends with.

    Args:
        model: Before its training.
        splits: For training and validation.
        options: Of the training; where its logs go does not matter.
        callbacks: Their classes and the values of their `state`.
        distillation: Likewise.
        teacher: Its weights.
    """
    hashed = {
        "model": _arrays(model.weights),
        "teacher": _arrays(teacher.weights if teacher is not None else ()),
        **{
            f"{index} {type(callback).__name__}": _arrays(
                _state(callback).values()
            )
            for index, callback in enumerate(callbacks)
        },
    }
    parts = [
        json.dumps(options.without_logs().to_json()),
        json.dumps(distillation.to_json() if distillation else None),
        *(split.fingerprint() for split in splits),
        *(name + files.sha256_of_arrays(x) for name, x in hashed.items()),
    ]
    return files.sha256_of_text(" ".join(parts))


@dataclasses.dataclass(frozen=True, eq=False)
class Checkpoint:
    """The file of one training, and whose state it holds beside the model's.

    Attributes:
        path: The file; it need not exist.
        keeper: `training_callbacks.keep_weights`.
        callbacks: Those with a `state`, a mapping from name to `tf.Variable`,
            have it stored.
    """

    path: pathlib.Path
    keeper: Any
    callbacks: Sequence[Any]

    def restore(
        self, model: Any, options: training.TrainingOptions
    ) -> tuple[int, float]:
        """Brings everything to where the file's training was, if there is one.

        Args:
            model: Compiled, with its optimizer's variables made.
            options: Of the training.

        Returns:
            The epoch from which to go on, counted from 0, and the seconds that
            those before it took.

        Raises:
            InputError: If the file is damaged.
        """
        if not self.path.exists():
            return 0, 0.0
        arrays = files.read_npz(self.path)
        variables = self._variables(model)
        kept = [f"kept/{index}" for index in range(len(model.get_weights()))]
        missing = {*variables, *kept, "progress"} - set(arrays)
        if missing:
            raise errors.InputError(
                "A checkpoint must hold what is trained. Received: "
                f"{str(self.path)!r} without {min(missing)!r}. Remove it."
            )
        for name, variable in variables.items():
            variable.assign(arrays[name])
        progress = json.loads(str(arrays["progress"]))
        self.keeper.go_on(progress, [arrays[name] for name in kept])
        done = len(self.keeper.epochs)
        return (
            options.epochs if self.keeper.has_stopped else done,
            progress["seconds"],
        )

    def save_each_epoch(self, seconds_before: float) -> Any:
        """Returns a `tf_keras` callback that writes the file.

        It must come behind `keeper` and `callbacks`. After a loss that was not
        finite the last good file stays.

        Args:
            seconds_before: What earlier epochs took.
        """
        import tf_keras as keras

        started = time.perf_counter() - seconds_before
        write = self._write

        class SaveCheckpoint(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                write(self.model, time.perf_counter() - started)

        return SaveCheckpoint()

    def _write(self, model: Any, seconds: float) -> None:
        if self.keeper.has_failed:
            return
        arrays = {
            name: variable.numpy()
            for name, variable in self._variables(model).items()
        }
        for index, weight in enumerate(self.keeper.weights):
            arrays[f"kept/{index}"] = weight
        progress = {**self.keeper.progress(), "seconds": seconds}
        # Compressing weights takes long and gains little.
        with (
            files.atomic_path(self.path) as partial,
            partial.open("wb") as file,
        ):
            np.savez(file, progress=json.dumps(progress), **arrays)

    def _variables(self, model: Any) -> dict[str, Any]:
        """Returns all variables that training changes, by name in the file."""
        found = {f"model/{i}": x for i, x in enumerate(model.weights)}
        for index, variable in enumerate(model.optimizer.variables):
            found[f"optimizer/{index}"] = variable
        for index, callback in enumerate(self.callbacks):
            for name, variable in _state(callback).items():
                found[f"callback/{index}/{name}"] = variable
        return found


def _state(callback: Any) -> dict[str, Any]:
    return dict(getattr(callback, "state", {}))


def _arrays(variables: Any) -> dict[str, np.ndarray]:
    return {str(i): x.numpy() for i, x in enumerate(variables)}
