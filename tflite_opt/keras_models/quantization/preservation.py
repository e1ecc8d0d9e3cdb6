# SPDX-License-Identifier: Apache-2.0
"""Keeps zeros and clusters exactly, whatever an optimizer does.

After each step the weights are brought back to what was promised: zeros are
zero, and the weights of a cluster get the value that is nearest to all of
them. So a cluster's centroid is trained by all its weights.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models.rewriting import affine
from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.records import compression


@dataclasses.dataclass(frozen=True, eq=False)
class Kept:
    """What one weight keeps.

    Attributes:
        layer: Name of the layer in the quantization-aware model.
        weight: Its attribute.
        is_free: 1 where the weight may change, 0 where it stays zero; shape
            of the weight, float32.
        cluster: Index of each weight's cluster, int32, same shape; None
            without clusters.
        factor: What batch normalization multiplied each weight with, so that
            a cluster has one value before it; same shape, float32.
    """

    layer: str
    weight: str
    is_free: np.ndarray
    cluster: np.ndarray | None
    factor: np.ndarray


def remember(
    graph: graph_lib.Graph,
    originals: Mapping[tuple[str, str], np.ndarray],
    promises: Sequence[compression.Promise],
    preserve: Sequence[compression.Property],
) -> list[Kept]:
    """Returns what must be kept of the weights of a rewritten model.

    Args:
        graph: After the rules, before training.
        originals: By layer and weight, the weights before the rules.
        promises: About those.
        preserve: `sparsity` keeps all zeros, `clusters` what is equal.
    """
    calls = {call.layer.name: call for call in graph.calls}
    merged: dict[tuple[str, str], list[compression.Promise]] = {}
    for promise in promises:
        merged.setdefault((promise.layer, promise.weight), []).append(promise)
    kept = []
    for key, about in merged.items():
        name, weight = graph.renamed.get(key, key)
        call = calls[name]
        if weight not in ("kernel", "depthwise_kernel"):
            continue
        now = call.get_weights()[0]
        before = originals[key].reshape(now.shape)
        clustered = [p for p in about if p.max_unique_values is not None]
        has_clusters = bool(clustered) and "clusters" in preserve
        axes = affine.KERNEL_CHANNEL_AXES[call.kind]
        kept.append(
            Kept(
                layer=name,
                weight=weight,
                is_free=_is_free(before, "sparsity" in preserve),
                cluster=_clusters(before, axes, clustered[0].per_channel)
                if has_clusters
                else None,
                factor=_factor(before, now, axes),
            )
        )
    return kept


def carried(
    graph: graph_lib.Graph, promises: Sequence[compression.Promise]
) -> tuple[compression.Promise, ...]:
    """Returns promises as they read for the rewritten model.

    Batch normalization in the weights gives each channel a factor, so what
    held for a whole weight holds for each channel.
    """
    found = []
    for promise in promises:
        key = (promise.layer, promise.weight)
        layer, weight = graph.renamed.get(key, key)
        found.append(
            dataclasses.replace(
                promise,
                layer=layer,
                weight=weight,
                per_channel=promise.max_unique_values is not None,
            )
        )
    return tuple(found)


def keeper(model: Any, kept: Sequence[Kept]) -> Any:
    """Returns a `tf_keras` callback that keeps it after each step.

    Args:
        model: The quantization-aware model.
        kept: Of its weights.
    """
    import tensorflow as tf
    import tf_keras as keras

    wrappers = {layer.name: layer for layer in model.layers}
    variables = [getattr(wrappers[k.layer].layer, k.weight) for k in kept]

    @tf.function(autograph=False)
    def bring_back() -> None:
        for variable, what in zip(variables, kept, strict=True):
            variable.assign(_brought_back(variable, what))

    class Keeper(keras.callbacks.Callback):
        """Brings the weights back."""

        def on_train_begin(self, logs: Any = None) -> None:
            bring_back()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            bring_back()

    return Keeper()


def _brought_back(weights: Any, kept: Kept) -> Any:
    """Least squares: one value of a cluster, times the factor."""
    import tensorflow as tf

    if kept.cluster is None:
        return weights * kept.is_free
    count = int(kept.cluster.max()) + 1
    ids, factor = kept.cluster.reshape(-1), kept.factor.reshape(-1)
    flat = tf.reshape(weights, [-1])
    size = np.bincount(ids, factor**2, count).astype(np.float32)
    centroids = tf.math.unsorted_segment_sum(
        flat * factor, ids, count
    ) / np.where(size > 0, size, 1)
    values = tf.gather(centroids, ids) * factor
    return tf.reshape(values, weights.shape) * kept.is_free


def _is_free(weights: np.ndarray, keeps_zeros: bool) -> np.ndarray:
    return (weights != 0 if keeps_zeros else np.ones_like(weights)).astype(
        np.float32
    )


def _clusters(
    weights: np.ndarray, channel_axes: Sequence[int], per_channel: bool
) -> np.ndarray:
    _, ids = np.unique(weights, return_inverse=True)
    ids = ids.reshape(weights.shape)
    if per_channel:
        shape = [1] * weights.ndim
        for axis in channel_axes:
            shape[axis] = weights.shape[axis]
        channel = np.arange(np.prod(shape)).reshape(shape)
        ids = ids + channel * (int(ids.max()) + 1)
        # Numbers without gaps: most values are of few channels.
        _, ids = np.unique(ids, return_inverse=True)
    return ids.reshape(weights.shape).astype(np.int32)


def _factor(
    before: np.ndarray, now: np.ndarray, channel_axes: Sequence[int]
) -> np.ndarray:
    kept_axes = {axis % before.ndim for axis in channel_axes}
    axes = tuple(i for i in range(before.ndim) if i not in kept_axes)
    size = (before.astype(np.float64) ** 2).sum(axes, keepdims=True)
    product = (before.astype(np.float64) * now).sum(axes, keepdims=True)
    factor = product / np.where(size > 0, size, 1)
    return np.broadcast_to(factor, before.shape).astype(np.float32)
