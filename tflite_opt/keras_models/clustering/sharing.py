# SPDX-License-Identifier: Apache-2.0
"""Trains weights that share values.

Each weight keeps a value of its own in the background. A step moves it as the
gradient at its shared value says (the straight-through estimator); then each
weight joins the nearest centroid, each centroid becomes the mean of its
weights, and the kernel gets the centroids' values. So a kernel is clustered
exactly after every step, and weights still change sides.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models import kernels
from tflite_opt.keras_models.clustering import centroids
from tflite_opt.records import clustering


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Target:
    """A kernel and how it is clustered.

    Attributes:
        kernel: Of the model that is trained.
        number_of_clusters: Distinct values, zero included.
        per_channel: Whether each output channel has its own.
        keeps_zeros: Whether weights that are zero stay so.
    """

    kernel: kernels.Kernel
    number_of_clusters: int
    per_channel: bool = False
    keeps_zeros: bool = False


def share(
    targets: Sequence[Target],
    initialization: clustering.CentroidInitialization,
    seed: int,
) -> Any:
    """Clusters kernels now, and keeps them clustered while they are trained.

    Args:
        targets: Their variables are changed.
        initialization: Of k-means.
        seed: Of its random numbers.

    Returns:
        A `tf_keras` callback; its `state` is what a checkpoint must hold.
    """
    import tensorflow as tf
    import tf_keras as keras

    shared = [_SharedKernel(x, initialization, seed) for x in targets]

    @tf.function
    def update() -> None:
        for one in shared:
            one.update()

    # Traced now, not in the first step of the training.
    update.get_concrete_function()

    class ShareWeights(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            # Keeps the loop from fetching its metrics after each step.
            self._supports_tf_logs = True
            self.state = {
                f"{one.name}/{name}": variable
                for one in shared
                for name, variable in one.variables.items()
            }

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            update()

    return ShareWeights()


class _SharedKernel:
    """A kernel as a matrix whose rows, or which as a whole, share values.

    Attributes:
        name: Of the kernel.
        variables: By name, what changes beside the kernel: `own` values of
            the weights and `shared` ones, both shape `(rows, n)`, and
            `centroids`, ascending, shape `(rows, clusters)`, or one row of
            them for the whole kernel.
    """

    def __init__(
        self,
        target: Target,
        initialization: clustering.CentroidInitialization,
        seed: int,
    ) -> None:
        import tensorflow as tf

        self.name = str(target.kernel)
        self._target = target
        self._kernel = target.kernel.variable
        rows = self._to_rows(self._kernel).numpy()
        alive = np.ones_like(rows, bool)
        count = target.number_of_clusters
        if target.keeps_zeros and not rows.all():
            # Zero is one of the values, and only zeros have it.
            alive, count = rows != 0, count - 1
        self._alive = tf.constant(alive.astype(np.float32))
        groups = (
            [row[kept] for row, kept in zip(rows, alive, strict=True)]
            if target.per_channel
            else [rows[alive]]
        )
        found = [centroids.find(x, count, initialization, seed) for x in groups]
        self.variables = {
            "own": tf.Variable(rows, trainable=False),
            "shared": tf.Variable(rows, trainable=False),
            "centroids": tf.Variable(np.stack(found), trainable=False),
        }
        self.update()

    def update(self) -> None:
        """Moves all weights by what a step changed, and shares them again."""
        import tensorflow as tf

        own, shared, means = self.variables.values()
        own.assign_add(self._to_rows(self._kernel) - shared)
        bounds = (means[:, 1:] + means[:, :-1]) / 2
        # Quicker than a binary search for the few clusters that are usual.
        chosen = tf.zeros(own.shape, tf.int32)
        for index in range(bounds.shape[1]):
            above = own >= bounds[:, index : index + 1]
            chosen += tf.cast(above, tf.int32)
        found = self._means(own, chosen)
        values = (
            tf.gather(found, chosen, batch_dims=1)
            if self._target.per_channel
            else tf.gather(found[0], chosen)
        )
        shared.assign(values * self._alive)
        means.assign(tf.sort(found, axis=1))
        self._kernel.assign(self._from_rows(shared))

    def _means(self, own: Any, chosen: Any) -> Any:
        """Returns the mean of each cluster; an empty one keeps its centroid."""
        import tensorflow as tf

        before = self.variables["centroids"]
        num_rows, count = own.shape[0], before.shape[1]
        segments = chosen + count * tf.range(num_rows)[:, None]

        def total(values: Any) -> Any:
            sums = tf.reshape(
                tf.math.unsorted_segment_sum(
                    values, segments, num_rows * count
                ),
                (num_rows, count),
            )
            if self._target.per_channel:
                return sums
            return tf.reduce_sum(sums, axis=0, keepdims=True)

        sizes = total(self._alive)
        means = total(own * self._alive) / tf.maximum(sizes, 1.0)
        return tf.where(sizes > 0, means, before)

    def _to_rows(self, kernel: Any) -> Any:
        import tensorflow as tf

        if not self._target.per_channel:
            return tf.reshape(kernel, (-1, kernel.shape[-1]))
        first = tf.transpose(kernel, self._channels_first())
        return tf.reshape(first, (first.shape[0], -1))

    def _from_rows(self, rows: Any) -> Any:
        import tensorflow as tf

        shape = self._kernel.shape
        if not self._target.per_channel:
            return tf.reshape(rows, shape)
        order = self._channels_first()
        first = tf.reshape(rows, [shape[axis] for axis in order])
        return tf.transpose(first, np.argsort(order))

    def _channels_first(self) -> list[int]:
        axes = list(range(len(self._kernel.shape)))
        channels = axes.pop(self._target.kernel.output_axis)
        return [channels, *axes]
