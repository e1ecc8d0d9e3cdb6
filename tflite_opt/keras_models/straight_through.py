# SPDX-License-Identifier: Apache-2.0
"""Trains weights of which only a simpler form is used.

Each weight keeps a value of its own in the background. A step moves it as the
gradient at its simpler value says (the straight-through estimator); then the
kernel gets what is made of its own values. So a kernel has its form exactly
after every step, and weights still change sides.

References:
    Bengio, Leonard and Courville, "Estimating or Propagating Gradients
    Through Stochastic Neurons for Conditional Computation", 2013.
    https://arxiv.org/abs/1308.3432
"""

import abc
from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models import kernels


class HeldKernel(abc.ABC):
    """A kernel as a matrix, and what its weights are in the background.

    Attributes:
        name: Of the kernel.
        variables: By name, what changes beside the kernel: `own` values of
            the weights and `shared` ones, which the kernel has, both of shape
            `(rows, n)`.
    """

    def __init__(self, kernel: kernels.Kernel, *, channels_first: bool) -> None:
        """Reads the kernel.

        Args:
            kernel: Its variable will be changed.
            channels_first: Whether a row is an output channel; else columns
                are what the last dimension counts.
        """
        import tensorflow as tf

        self.name = str(kernel)
        self._kernel = kernel.variable
        self._order = self._channels_first(kernel) if channels_first else None
        rows = self._to_rows(self._kernel)
        self.variables = {
            "own": tf.Variable(rows, trainable=False),
            "shared": tf.Variable(rows, trainable=False),
        }

    @abc.abstractmethod
    def values(self, own: Any) -> Any:
        """Returns what the kernel gets, from own values, as rows."""

    def update(self) -> None:
        """Moves all own values by what a step changed; gives the kernel its."""
        own, shared = self.variables["own"], self.variables["shared"]
        own.assign_add(self._to_rows(self._kernel) - shared)
        shared.assign(self.values(own))
        self._kernel.assign(self._from_rows(shared))

    def _to_rows(self, kernel: Any) -> Any:
        import tensorflow as tf

        if self._order is None:
            return tf.reshape(kernel, (-1, kernel.shape[-1]))
        first = tf.transpose(kernel, self._order)
        return tf.reshape(first, (first.shape[0], -1))

    def _from_rows(self, rows: Any) -> Any:
        import tensorflow as tf

        shape = self._kernel.shape
        if self._order is None:
            return tf.reshape(rows, shape)
        first = tf.reshape(rows, [shape[axis] for axis in self._order])
        return tf.transpose(first, np.argsort(self._order))

    @staticmethod
    def _channels_first(kernel: kernels.Kernel) -> list[int]:
        axes = list(range(len(kernel.variable.shape)))
        channels = axes.pop(kernel.output_axis)
        return [channels, *axes]


def hold(held: Sequence[HeldKernel]) -> Any:
    """Gives kernels their form now, and keeps it while they are trained.

    Args:
        held: Their variables are changed.

    Returns:
        A `tf_keras` callback; its `state` is what a checkpoint must hold.
    """
    import tensorflow as tf
    import tf_keras as keras

    @tf.function
    def update() -> None:
        for one in held:
            one.update()

    # Traced here, so that the first step of the training is not slow.
    update()

    class HoldKernels(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            # Keeps the loop from fetching its metrics after each step.
            self._supports_tf_logs = True
            self.state = {
                f"{one.name}/{name}": variable
                for one in held
                for name, variable in one.variables.items()
            }

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            update()

    return HoldKernels()
