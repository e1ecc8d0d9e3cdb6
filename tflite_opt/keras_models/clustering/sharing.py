# SPDX-License-Identifier: Apache-2.0
"""Trains weights that share values.

After each step each weight joins the nearest centroid, each centroid becomes
the mean of its weights, and the kernel gets the centroids' values.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models import kernels, straight_through
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
    *,
    sparse: Sequence[kernels.Kernel] = (),
) -> Any:
    """Clusters kernels now, and keeps them clustered while they are trained.

    Args:
        targets: Their variables are changed.
        initialization: Of k-means.
        seed: Of its random numbers.
        sparse: Others, which only keep their zeros.

    Returns:
        A `tf_keras` callback; its `state` is what a checkpoint must hold.
    """
    return straight_through.hold(
        [
            *(_SharedKernel(x, initialization, seed) for x in targets),
            *map(_SparseKernel, sparse),
        ]
    )


class _SparseKernel(straight_through.HeldKernel):
    """A kernel whose weights are free, but for those that are zero."""

    def __init__(self, kernel: kernels.Kernel) -> None:
        super().__init__(kernel, channels_first=False)
        rows = self.variables["own"].numpy()
        self._alive = (rows != 0).astype(np.float32)

    def values(self, own: Any) -> Any:
        """Returns the weights, zeros where they were."""
        return own * self._alive


class _SharedKernel(straight_through.HeldKernel):
    """A kernel as a matrix whose rows, or which as a whole, share values.

    Attributes:
        variables: Also `centroids`, ascending, shape `(rows, clusters)`, or
            one row of them for the whole kernel.
    """

    def __init__(
        self,
        target: Target,
        initialization: clustering.CentroidInitialization,
        seed: int,
    ) -> None:
        import tensorflow as tf

        super().__init__(target.kernel, channels_first=target.per_channel)
        self._target = target
        rows = self.variables["own"].numpy()
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
        self.variables["centroids"] = tf.Variable(
            np.stack(found), trainable=False
        )

    def values(self, own: Any) -> Any:
        """Returns the centroid of each weight; moves the centroids."""
        import tensorflow as tf

        means = self.variables["centroids"]
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
        means.assign(tf.sort(found, axis=1))
        return values * self._alive

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
