# SPDX-License-Identifier: Apache-2.0
"""Says which kernels of a model are clustered."""

from collections.abc import Mapping, Sequence
from typing import Any

from tflite_opt.keras_models import kernels, layer_support
from tflite_opt.keras_models.clustering import sharing
from tflite_opt.records import compression, errors


def choose(
    model: Any,
    number_of_clusters: int,
    layers: Mapping[str, int],
    *,
    per_channel: bool,
    keeps_zeros: bool,
) -> tuple[tuple[sharing.Target, ...], tuple[str, ...]]:
    """Returns what is clustered, and a sentence on each kernel that cannot be.

    Args:
        model: A built functional or Sequential `tf_keras` model.
        number_of_clusters: Of kernels that `layers` does not match.
        layers: From a regular expression that matches the whole path of a
            layer to the number of its clusters, 0 for none. The first that
            matches decides, also about unusual kernels.
        per_channel: Whether each output channel has its own values.
        keeps_zeros: Whether zeros stay.

    Raises:
        InputError: If a key of `layers` matches no layer with a kernel.
        ModelError: If there is nothing to cluster.
    """
    found = kernels.of_layers(layer_support.walk(model))
    kernels.require_matches(layers, [kernel.layer for kernel in found])
    targets, left = [], []
    for kernel in found:
        key = kernels.first_match(kernel.layer, layers)
        count = number_of_clusters if key is None else layers[key]
        if not count:
            continue
        reason = why_left(
            kernel, count, per_channel=per_channel, is_named=key is not None
        )
        if reason:
            left.append(f"{kernel} is not clustered: {reason}")
        else:
            targets.append(
                sharing.Target(
                    kernel=kernel,
                    number_of_clusters=count,
                    per_channel=per_channel,
                    keeps_zeros=keeps_zeros,
                )
            )
    if not targets:
        raise errors.ModelError(
            "Clustering needs a kernel with more weights than clusters. "
            f"Received: {model.name!r}. {' '.join(left) or 'It has none.'}"
        )
    return tuple(targets), tuple(left)


def sparse_others(
    model: Any,
    chosen: Sequence[sharing.Target],
    promises: Sequence[compression.Promise],
) -> tuple[kernels.Kernel, ...]:
    """Returns the kernels that are not clustered and must keep their zeros.

    Args:
        model: As for `choose`.
        chosen: What is clustered.
        promises: Of earlier steps.
    """
    others = {
        (promise.layer, promise.weight)
        for promise in promises
        if promise.min_zero_fraction is not None
    } - {(target.kernel.layer, target.kernel.weight) for target in chosen}
    return tuple(
        kernel
        for kernel in kernels.of_layers(layer_support.walk(model))
        if (kernel.layer, kernel.weight) in others
    )


def why_left(
    kernel: kernels.Kernel,
    number_of_clusters: int,
    *,
    per_channel: bool,
    is_named: bool = False,
) -> str:
    """Returns why a kernel is left as it is, or "" if it is clustered.

    Args:
        kernel: Any.
        number_of_clusters: That it would have.
        per_channel: Whether in each channel.
        is_named: Whether the user wants it.
    """
    if kernel.unusual_because and not is_named:
        return kernel.unusual_because
    count = kernel.num_elements
    if per_channel:
        count //= kernel.variable.shape[kernel.output_axis]
    if count <= number_of_clusters:
        where = "each channel" if per_channel else "it"
        return f"There are only {count} weights in {where}."
    return ""
