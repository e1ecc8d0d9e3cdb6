# SPDX-License-Identifier: Apache-2.0
"""Prunes while the training loop runs: a callback that masks kernels.

Masks change only at the steps of the schedule. After each step they are
applied again, so that neither momentum nor weight decay revives a weight and
every forward pass sees exact zeros.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models.pruning import (
    criteria,
    masks,
    schedules,
    selection,
)
from tflite_opt.records import pruning, training


def prune(
    targets: Sequence[selection.Target],
    timing: pruning.Timing,
    score: criteria.Score,
    num_steps: int,
) -> Any:
    """Returns a callback that prunes kernels while they are trained.

    The step is read from the optimizer at the start of each epoch, and the
    callback's `state` holds the masks, so that a checkpoint of both is enough
    to go on.

    Args:
        targets: What to prune; variables of the model that is trained.
        timing: When.
        score: How important the weights of the targets are.
        num_steps: Steps of the whole training.

    Returns:
        A `tf_keras` callback.
    """
    import tf_keras as keras

    plans = [
        schedules.updates(timing, target.pattern.sparsity, num_steps)
        for target in targets
    ]
    masking = Masking(targets)

    class Prune(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            # Keeps the loop from fetching its metrics after each step.
            self._supports_tf_logs = True
            self.state = masking.state
            self._step = 0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self._step = int(self.model.optimizer.iterations.numpy())

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            due = [plan.get(self._step) for plan in plans]
            if any(sparsity is not None for sparsity in due):
                masking.choose(due, score)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self._step += 1
            masking.apply()

    return Prune()


def keep(masking: "Masking") -> Any:
    """Returns a callback that keeps the zeros that there are.

    Args:
        masking: Of the model that is trained.

    Returns:
        A `tf_keras` callback.
    """
    import tf_keras as keras

    class Keep(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self._supports_tf_logs = True
            self.state = masking.state

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            masking.apply()

    return Keep()


def num_steps(num_train: int, options: training.TrainingOptions) -> int:
    """Returns how many steps the training loop takes.

    Args:
        num_train: Examples of the train split.
        options: Of the training.
    """
    return options.epochs * max(1, num_train // options.batch_size)


class Masking:
    """Masks of several kernels.

    Attributes:
        state: By name of the kernel, a `tf.Variable` of its shape and dtype; 0
            where the weight is zero, else 1.
        apply: Makes the weights zero that the masks say.
    """

    def __init__(self, targets: Sequence[selection.Target]) -> None:
        import tensorflow as tf

        self._targets = targets
        self._variables = [target.kernel.variable for target in targets]
        self.state = {
            str(target.kernel): tf.Variable(
                tf.ones_like(target.kernel.variable), trainable=False
            )
            for target in targets
        }
        self._masks = list(self.state.values())

        @tf.function
        def apply() -> None:
            for variable, mask in zip(
                self._variables, self._masks, strict=True
            ):
                variable.assign(variable * mask)

        self.apply = apply

    def choose(
        self, sparsities: Sequence[float | None], score: criteria.Score
    ) -> None:
        """Chooses the zeros anew, besides those that are there, and sets them.

        Args:
            sparsities: Fraction of zeros of each kernel; None leaves its mask.
            score: How important their weights are.
        """
        scores = score()
        for target, mask, sparsity, found in zip(
            self._targets, self._masks, sparsities, scores, strict=True
        ):
            if sparsity is None:
                continue
            standing = np.where(mask.numpy() == 0, -np.inf, found)
            survives = masks.mask(standing, target.pattern, sparsity)
            mask.assign(survives.astype(mask.dtype.name))
        self.apply()
