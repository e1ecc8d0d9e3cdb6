# SPDX-License-Identifier: Apache-2.0
"""Where a model's variables live, so that several devices can train it."""

import contextlib

from tflite_opt.records import training


def scope(
    strategy: training.Strategy,
) -> contextlib.AbstractContextManager[None]:
    """Returns the context in which a model must be built or loaded.

    What is made of it, copies and optimizers, belongs in there too.

    Args:
        strategy: `mirrored` keeps a copy of each variable on every GPU of this
            machine, or on its CPUs where there is none.
    """
    if strategy == "none":
        return contextlib.nullcontext()
    import tensorflow as tf

    found: contextlib.AbstractContextManager[None] = (
        tf.distribute.MirroredStrategy().scope()
    )
    return found
