# SPDX-License-Identifier: Apache-2.0
"""Finds the signs and the scale that stand best for a channel's weights.

References:
    Li and Liu, "Ternary Weight Networks", 2016.
    https://arxiv.org/abs/1605.04711
    Rastegari et al., "XNOR-Net: ImageNet Classification Using Binary
    Convolutional Neural Networks", 2016, section 3.1.
    https://arxiv.org/abs/1603.05279
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from tflite_opt.keras_models import kernels, straight_through
from tflite_opt.records import low_bit


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Target:
    """A kernel and what its weights become.

    Attributes:
        kernel: Of the model that is trained.
        values: How many there are in each output channel.
    """

    kernel: kernels.Kernel
    values: low_bit.Values


def ternary(weights: Any) -> Any:
    """Returns -s, 0 or s for each weight, with the least squared error.

    Li and Liu estimate the threshold from the mean magnitude; sorting finds
    the best one.

    Args:
        weights: A tensor of shape `(channels, n)`.

    Returns:
        Of the same shape; each row has an s of its own.
    """
    import tensorflow as tf

    magnitudes = tf.abs(weights)
    ordered = tf.sort(magnitudes, axis=1, direction="DESCENDING")
    sums = tf.cumsum(ordered, axis=1)
    counts = tf.range(1, weights.shape[1] + 1, dtype=weights.dtype)
    # With the k largest at their mean, the error is |w|^2 - sum_k^2 / k.
    last = tf.argmax(sums**2 / counts, axis=1)[:, tf.newaxis]
    scale = tf.gather(sums / counts, last, batch_dims=1)
    threshold = tf.gather(ordered, last, batch_dims=1)
    is_kept = tf.cast(magnitudes >= threshold, weights.dtype)
    return tf.sign(weights) * scale * is_kept


def binary(weights: Any) -> Any:
    """Returns -s or s for each weight, with the least squared error.

    Args:
        weights: A tensor of shape `(channels, n)`.

    Returns:
        Of the same shape; each row has an s of its own.
    """
    import tensorflow as tf

    scale = tf.reduce_mean(tf.abs(weights), axis=1, keepdims=True)
    return tf.where(weights >= 0, scale, -scale)


_FORMS = {"ternary": ternary, "binary": binary}


def hold(targets: Sequence[Target]) -> Any:
    """Gives kernels few values now, and keeps that while they are trained.

    Args:
        targets: Their variables are changed.

    Returns:
        A `tf_keras` callback; its `state` is what a checkpoint must hold.
    """
    return straight_through.hold([_LowBitKernel(x) for x in targets])


class _LowBitKernel(straight_through.HeldKernel):
    """A kernel whose rows are output channels."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.kernel, channels_first=True)
        self._form = _FORMS[target.values]

    def values(self, own: Any) -> Any:
        """Returns the form of each channel."""
        return self._form(own)
