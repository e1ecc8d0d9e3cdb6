# SPDX-License-Identifier: Apache-2.0
"""Says which kernels of a model get weights of one or two bits."""

from collections.abc import Mapping
from typing import Any

from tflite_opt.keras_models import kernels, layer_support
from tflite_opt.keras_models.low_bit import signs
from tflite_opt.records import errors, low_bit


def choose(
    model: Any,
    values: low_bit.Values,
    layers: Mapping[str, low_bit.LayerValues],
) -> tuple[tuple[signs.Target, ...], tuple[str, ...]]:
    """Returns what is trained so, and a sentence on each kernel that is not.

    Args:
        model: A built functional or Sequential `tf_keras` model.
        values: Of kernels that `layers` does not match, but for the first and
            the last one.
        layers: From a regular expression that matches the whole path of a
            layer to its values. The first that matches decides, also about
            the first, the last and unusual kernels.

    Raises:
        InputError: If a key of `layers` matches no layer with a kernel.
        ModelError: If no kernel is left.
    """
    found = kernels.of_layers(layer_support.walk(model))
    kernels.require_matches(layers, [kernel.layer for kernel in found])
    targets, left = [], []
    for position, kernel in enumerate(found):
        key = kernels.first_match(kernel.layer, layers)
        wanted = values if key is None else layers[key]
        if wanted == "float":
            continue
        is_at_end = position in (0, len(found) - 1)
        reason = why_left(kernel, wanted, is_at_end, is_named=key is not None)
        if reason:
            left.append(f"{kernel} keeps all its values: {reason}")
        else:
            targets.append(signs.Target(kernel=kernel, values=wanted))
    if not targets:
        raise errors.ModelError(
            "There must be a kernel to make ternary or binary beside the "
            f"first and the last one. Received: {model.name!r}. "
            f"{' '.join(left) or 'It has none.'}"
        )
    return tuple(targets), tuple(left)


def why_left(
    kernel: kernels.Kernel,
    values: low_bit.Values,
    is_at_end: bool,
    *,
    is_named: bool = False,
) -> str:
    """Returns why a kernel is left as it is, or "" if it is not.

    Args:
        kernel: Any.
        values: That it would have.
        is_at_end: Whether it is the model's first or last one.
        is_named: Whether the user wants it.
    """
    if not is_named:
        if kernel.unusual_because:
            return kernel.unusual_because
        if is_at_end:
            return "The first and the last one cost most accuracy."
    count = kernel.num_elements // kernel.variable.shape[kernel.output_axis]
    if count <= low_bit.NUM_VALUES[values]:
        return f"There are only {count} weights in each channel."
    return ""
