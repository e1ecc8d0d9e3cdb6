# SPDX-License-Identifier: Apache-2.0
"""Says which kernels of a model are pruned, and how far."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.pruning import kernels as kernels_lib
from tflite_opt.records import errors, pruning

Kernel = kernels_lib.Kernel


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Target:
    """A kernel and how it is pruned."""

    kernel: Kernel
    pattern: pruning.Pattern


def select(
    model: Any,
    pattern: pruning.Pattern,
    overrides: Mapping[str, pruning.Pattern],
) -> tuple[Target, ...]:
    """Returns the kernels that are pruned, and how.

    Args:
        model: A built functional or Sequential `tf_keras` model.
        pattern: For all kernels that are not left dense by default.
        overrides: From a regular expression that matches the whole path of a
            layer, such as its name, to its pattern. The first that matches
            decides, also for kernels that are left dense by default.

    Raises:
        InputError: If an override matches no layer with a kernel, or a
            pattern does not fit a kernel.
        ModelError: If there is nothing to prune.
    """
    kernels = kernels_lib.find(layer_support.walk(model))
    matched = {kernel: _override(kernel, overrides) for kernel in kernels}
    _check_all_match(overrides, kernels)
    chosen = []
    for kernel, override in matched.items():
        used = pattern if override is None else override
        if (override is None and kernel.dense_because) or not used.sparsity:
            continue
        _check_fits(kernel, used)
        chosen.append(Target(kernel=kernel, pattern=used))
    if not chosen:
        raise errors.ModelError(
            "Pruning needs a kernel to prune. Received: "
            f"{model.name!r} with {_listed(kernels) or 'no kernels'}. "
            "Name the layers to prune in `layers`."
        )
    return tuple(chosen)


def _override(
    kernel: Kernel, overrides: Mapping[str, pruning.Pattern]
) -> pruning.Pattern | None:
    return next(
        (found for key, found in overrides.items() if _matches(key, kernel)),
        None,
    )


def _matches(key: str, kernel: Kernel) -> bool:
    return bool(re.fullmatch(key, kernel.layer))


def _check_all_match(
    overrides: Mapping[str, pruning.Pattern], kernels: tuple[Kernel, ...]
) -> None:
    idle = [
        key
        for key in overrides
        if not any(_matches(key, kernel) for kernel in kernels)
    ]
    if idle:
        known = dict.fromkeys(kernel.layer for kernel in kernels)
        raise errors.InputError(
            "Each of `layers` must match a layer with a kernel. Received: "
            f"{', '.join(map(repr, idle))}. Layers with kernels: "
            f"{', '.join(known) or 'none'}."
        )


def _check_fits(kernel: Kernel, pattern: pruning.Pattern) -> None:
    rule = ""
    if pattern.block_size and any(size != 1 for size in kernel.shape[:-2]):
        rule = (
            "`block_size` is for kernels of two dimensions and of 1x1 "
            "convolutions"
        )
    elif pattern.n_of_m and not kernel.has_groups:
        rule = "`n_of_m` is not for embeddings and transposed convolutions"
    if rule:
        raise errors.InputError(
            f"{rule}. Received: {kernel} of shape {kernel.shape}. Give such "
            "layers a `final_sparsity` of their own in `layers`."
        )


def _listed(kernels: tuple[Kernel, ...]) -> str:
    return ", ".join(
        f"{kernel} ({kernel.dense_because.rstrip('.')})" for kernel in kernels
    )
