# SPDX-License-Identifier: Apache-2.0
"""Makes a float model hard to quantize without changing what it computes.

Channels between a layer and a depthwise convolution get factors that span
some orders of magnitude. It is the inverse of equalization, so it says nothing
about models as they are trained.
"""

import pathlib

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tflite_opt.post_training import equalization
from tflite_opt.tflite import constants, flatbuffer

_ACTIVATION = schema.ActivationFunctionType
_SCALABLE = frozenset({_ACTIVATION.NONE, _ACTIVATION.RELU})


def rescale(
    source: pathlib.Path,
    destination: pathlib.Path,
    *,
    largest_factor: float,
    seed: int,
) -> int:
    """Writes a copy of a float model with channels of unequal range.

    Args:
        source: A float `.tflite`. Channels before a ReLU6 stay as they are.
        destination: Written whole or not at all.
        largest_factor: Factors are log-uniform between its inverse and 1.
        seed: Of the factors.

    Returns:
        How many tensors have unequal channels.
    """
    model = flatbuffer.read(source)
    random = np.random.default_rng(seed)
    changed: dict[int, np.ndarray] = {}
    pairs = [
        (writer, reader)
        for writer, reader in equalization.pairs_of(model)
        if writer.activation in _SCALABLE
    ]
    for writer, reader in pairs:
        size = writer.shape[writer.channel_axis]
        factors = largest_factor ** random.uniform(-1, 0, size)
        changed |= equalization.scaled(model, writer, reader, factors, changed)
    constants.replace(source, destination, changed)
    return len(pairs)
