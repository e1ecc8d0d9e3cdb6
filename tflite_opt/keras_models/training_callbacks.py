# SPDX-License-Identifier: Apache-2.0
"""What the training loop does between steps and epochs.

The callbacks are made by functions, because their base class only exists once
TensorFlow was imported.
"""

import logging
import math
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tflite_opt.records import errors, training

_LOG = logging.getLogger(__name__)

# Plain values: what `keep_weights` knows beside the weights themselves.
_PROGRESS = (
    "epochs",
    "steps",
    "kept_epoch",
    "has_stopped",
    "_best",
    "_best_epoch",
)


def keep_weights(options: training.TrainingOptions) -> Any:
    """Returns a callback that guards the loss and keeps the right weights.

    It stops training when the loss is not finite, or when validation has not
    improved for `options.patience` epochs. An epoch is better if its
    validation accuracy is higher, or the same at a lower validation loss;
    without an accuracy the loss decides.

    Returns:
        A `tf_keras` callback. After training, `finish()` gives the model its
        weights or raises InputError if the loss was not finite; `epochs`
        holds Keras' logs, `kept_epoch` the epoch counted from 1, `steps` the
        number of weight updates. `weights` are the right ones so far;
        `progress()` and they are all that `go_on` needs to continue in
        another process. `has_failed` and `has_stopped` tell of the loss and of
        the patience.
    """
    import tf_keras as keras

    class KeepWeights(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.epochs: list[Mapping[str, float]] = []
            self.steps = 0
            self.kept_epoch = 0
            self.weights: Any = None
            self.has_stopped = False
            self._best: tuple[float, ...] = (-math.inf, -math.inf)
            self._best_epoch = 0
            self._failure = ""

        @property
        def has_failed(self) -> bool:
            return bool(self._failure)

        def progress(self) -> dict[str, Any]:
            return {name: getattr(self, name) for name in _PROGRESS}

        def go_on(self, progress: Mapping[str, Any], weights: Any) -> None:
            for name in _PROGRESS:
                setattr(self, name, progress[name])
            self._best = tuple(self._best)
            self.weights = weights

        def on_train_begin(self, logs: Any = None) -> None:
            if self.weights is None:
                self.weights = self.model.get_weights()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.steps += 1
            if not math.isfinite(logs["loss"]):
                self._stop("loss", logs["loss"])

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if not self._failure and not math.isfinite(logs["val_loss"]):
                self._stop("validation loss", logs["val_loss"])
            if self._failure:
                return
            self.epochs.append(dict(logs))
            result = (logs.get("val_accuracy", 0.0), -logs["val_loss"])
            if result > self._best or options.keep == "last":
                self.weights = self.model.get_weights()
                self.kept_epoch = epoch + 1
            if result > self._best:
                self._best, self._best_epoch = result, epoch
            elif 0 < options.patience <= epoch - self._best_epoch:
                self.has_stopped = self.model.stop_training = True

        def _stop(self, what: str, value: float) -> None:
            self._failure = f"{what} {value} after step {self.steps}"
            self.model.stop_training = True

        def finish(self) -> None:
            self.model.set_weights(self.weights)
            if self._failure:
                left = f"of epoch {self.kept_epoch}"
                raise errors.InputError(
                    "The loss must stay finite while training. "
                    f"Received: {self._failure}. The model has the weights "
                    f"{left if self.kept_epoch else 'it started with'}. Lower "
                    f"`learning_rate`, which is {options.learning_rate}."
                )

    return KeepWeights()


def report_progress(
    options: training.TrainingOptions,
    steps_per_epoch: int,
    log: Callable[[str], None] | None,
    first_epoch: int = 0,
) -> Any:
    """Returns a callback that shows how far training is.

    Args:
        options: Of the training.
        steps_per_epoch: Number of steps that one epoch takes.
        log: Gets one line for each epoch if stderr is no terminal; None for
            this module's logger. A terminal shows a bar with its ETA.
        first_epoch: Epochs before it were run in another process.

    Returns:
        A `tf_keras` callback.
    """
    import tf_keras as keras

    class ReportProgress(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            self._bar = None
            self._started = time.perf_counter()
            if sys.stderr.isatty() and _LOG.isEnabledFor(logging.INFO):
                import tqdm

                total = options.epochs * steps_per_epoch
                self._bar = tqdm.tqdm(
                    total=total,
                    initial=first_epoch * steps_per_epoch,
                    desc="train",
                    leave=False,
                )

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self._bar is not None:
                self._bar.update(1)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            name = "accuracy" if "accuracy" in logs else "loss"
            shown = {"loss": logs["loss"], name: logs[name]}
            shown[f"validation {name}"] = logs[f"val_{name}"]
            result = ", ".join(f"{k} {x:.4f}" for k, x in shown.items())
            if self._bar is not None:
                self._bar.set_postfix_str(result)
                return
            spent = time.perf_counter() - self._started
            done = epoch + 1 - first_epoch
            left = spent / done * (options.epochs - epoch - 1)
            line = f"epoch {epoch + 1}/{options.epochs}: {result}"
            (log or _LOG.info)(f"{line}, at most {left:.0f} s left")

        def on_train_end(self, logs: Any = None) -> None:
            if self._bar is not None:
                self._bar.close()

    return ReportProgress()
