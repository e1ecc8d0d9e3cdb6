# SPDX-License-Identifier: Apache-2.0
"""What pruned kernels really are, and what may be promised of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.pruning import kernels, selection
from tflite_opt.records import compression, errors


def promises(
    targets: Sequence[selection.Target], masks: Mapping[str, Any]
) -> tuple[compression.Promise, ...]:
    """Returns what each kernel is from now on, after looking at it.

    Args:
        targets: What was pruned.
        masks: By name of the kernel, 0 where the weight must be zero.

    Raises:
        VerificationError: If a weight is not zero that must be.
    """
    found = []
    for target in targets:
        kernel = target.kernel
        dropped = masks[str(kernel)].numpy() == 0
        revived = int(np.count_nonzero(kernel.variable.numpy()[dropped]))
        if revived:
            raise errors.VerificationError(
                f"Pruned weights of {kernel} must be zero. "
                f"Received: {revived} of {int(dropped.sum())} that are not."
            )
        found.append(
            compression.Promise(
                layer=kernel.layer,
                weight=kernel.weight,
                min_zero_fraction=float(dropped.mean()),
                zeros_of_block=target.pattern.n_of_m,
            )
        )
    return tuple(found)


def notes(model: Any, targets: Sequence[selection.Target]) -> tuple[str, ...]:
    """Returns how much of a model was pruned, and which kernels were not.

    Args:
        model: The `tf_keras` model.
        targets: Its pruned kernels.
    """
    pruned = [target.kernel for target in targets]
    zeros = sum(int((k.variable.numpy() == 0).sum()) for k in pruned)
    names = {str(kernel) for kernel in pruned}
    dense = [
        f"{kernel.layer} ({kernel.dense_because or 'as asked'})"
        for kernel in kernels.find(layer_support.walk(model))
        if str(kernel) not in names
    ]
    share = zeros / max(1, model.count_params())
    found = (f"Zeros in {len(pruned)} kernels, {share:.1%} of all parameters.",)
    return (*found, f"Left dense: {'; '.join(dense)}") if dense else found
