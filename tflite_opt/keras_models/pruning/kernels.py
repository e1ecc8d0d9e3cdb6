# SPDX-License-Identifier: Apache-2.0
"""Finds the kernels of a model, and says which are pruned and how far."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.support import base
from tflite_opt.records import errors, pruning

# Names of Keras' own weights that are pruned unless something else is said.
# Each weight of a depthwise kernel counts for much and there are few of them.
_USUAL = frozenset(
    {"kernel", "pointwise_kernel", "recurrent_kernel", "embeddings"}
)
# The first and the last kernel cost the most accuracy for each zero, so they
# are only pruned where they hold more of the weights than this.
_SMALL_SHARE = 0.05


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Kernel:
    """One weight of a layer that could be pruned.

    Attributes:
        layer: Path of the layer.
        weight: Its name in the layer.
        variable: The `tf.Variable`.
        output_axis: The dimension of the output channels.
        dense_because: Why it is left dense unless it is named; "" if it is
            pruned.
    """

    layer: str
    weight: str
    variable: Any
    output_axis: int
    dense_because: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weight."""
        return tuple(self.variable.shape)

    def __str__(self) -> str:
        return f"{self.layer}/{self.weight}"


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Target:
    """A kernel and how it is pruned."""

    kernel: Kernel
    pattern: pruning.Pattern


def find(layers: Iterable[tuple[str, Any]]) -> tuple[Kernel, ...]:
    """Returns all trainable weights of two and more dimensions.

    Args:
        layers: Paths and built `tf_keras` layers in the model's order, see
            `layer_support.walk`.
    """
    found: dict[int, Kernel] = {}
    for path, layer in layers:
        if base.is_nested(layer):
            continue
        for name, variable in _named_weights(layer):
            found.setdefault(id(variable), _kernel(path, name, layer, variable))
    return _with_small_ends_dense(list(found.values()))


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
    kernels = find(layer_support.walk(model))
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
    elif pattern.n_of_m and kernel.weight == "embeddings":
        rule = "`n_of_m` is for kernels that multiply input channels"
    if rule:
        raise errors.InputError(
            f"{rule}. Received: {kernel} of shape {kernel.shape}. Give such "
            "layers a `final_sparsity` of their own in `layers`."
        )


def _listed(kernels: tuple[Kernel, ...]) -> str:
    return ", ".join(
        f"{kernel} ({kernel.dense_because.rstrip('.')})" for kernel in kernels
    )


def _named_weights(layer: Any) -> list[tuple[str, Any]]:
    """Returns the kernels of a layer by the shortest name that tells them."""
    variables = [w for w in layer.trainable_weights if len(w.shape) > 1]
    parts = [v.name.split(":")[0].split("/") for v in variables]
    for length in range(1, max(map(len, parts), default=0) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return list(zip(names, variables, strict=True))
    return [(f"weight_{i}", v) for i, v in enumerate(variables)]


def _kernel(path: str, name: str, layer: Any, variable: Any) -> Kernel:
    kind = type(layer).__name__
    own = name.rsplit("/", 1)[-1]
    reason = ""
    grouped = getattr(layer, "groups", 1) > 1 and variable.shape[-2] == 1
    if own == "depthwise_kernel" or grouped:
        reason = "Depthwise kernels hold few weights, each of which counts."
    elif own not in _USUAL:
        reason = f"{own} of {kind} is no kernel that is usually pruned."
    return Kernel(
        layer=path,
        weight=name,
        variable=variable,
        # Transposed convolutions keep the input channels last.
        output_axis=-2 if kind.endswith("Transpose") else -1,
        dense_because=reason,
    )


def _with_small_ends_dense(kernels: list[Kernel]) -> tuple[Kernel, ...]:
    usual = [i for i, k in enumerate(kernels) if not k.dense_because]
    total = sum(_size(kernels[i]) for i in usual)
    ends = {usual[0]: "first", usual[-1]: "last"} if len(usual) > 1 else {}
    for i, end in ends.items():
        share = _size(kernels[i]) / total
        if share <= _SMALL_SHARE:
            kernels[i] = dataclasses.replace(
                kernels[i],
                dense_because=f"The {end} kernel costs much accuracy and "
                f"holds only {share:.1%} of the weights.",
            )
    return tuple(kernels)


def _size(kernel: Kernel) -> int:
    return int(kernel.variable.shape.num_elements())
