# SPDX-License-Identifier: Apache-2.0
"""Random numbers of layers that depend on the seed and the epoch only.

Keras' own cannot be restored: an operation counts, out of reach, how often it
was run. So a training that goes on from a checkpoint would drop out other
units than one that was never interrupted.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np


@contextlib.contextmanager
def seeded_by_epoch(model: Any, seed: int) -> Iterator[Any]:
    """Gives layers such as Dropout a generator each, while training.

    Custom layers that call `tf.random` themselves are not among them.

    Args:
        model: Has its own generators again afterwards.
        seed: Of the training.

    Yields:
        A `tf_keras` callback for the training.
    """
    import tf_keras as keras

    layers = [
        module
        for module in model.submodules
        if isinstance(module, keras.__internal__.layers.BaseRandomLayer)
    ]
    own = [layer._random_generator for layer in layers]
    made = []
    with model.distribute_strategy.scope():
        for layer, generator in zip(layers, own, strict=True):
            made.append(type(generator)(seed, rng_type=generator.RNG_STATEFUL))
            layer._random_generator = made[-1]
            made[-1]._maybe_init()

    class Reseed(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            for index, generator in enumerate(made):
                words = np.random.SeedSequence([seed, epoch, index])
                generator._generator.reset_from_seed(
                    int(words.generate_state(1)[0])
                )

    try:
        yield Reseed()
    finally:
        for layer, generator in zip(layers, own, strict=True):
            layer._random_generator = generator
