# SPDX-License-Identifier: Apache-2.0
"""Finds the kernels of a model: the weights that hold nearly all its bytes."""

import dataclasses
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.support import base
from tflite_opt.records import errors

NAMES = (
    "kernel",
    "depthwise_kernel",
    "pointwise_kernel",
    "recurrent_kernel",
    "embeddings",
)
# Where layers keep the layers and cells that hold their kernels.
_OWNERS = (
    "layer",
    "forward_layer.cell",
    "backward_layer.cell",
    "_query_dense",
    "_key_dense",
    "_value_dense",
    "_output_dense",
)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Kernel:
    """One weight of two or more dimensions of a layer.

    Attributes:
        layer: Path of the layer.
        weight: Its attribute in the layer, or in the layer's cell; dotted
            where a layer holds others.
        variable: The `tf.Variable`.
        output_axis: The dimension of the output channels.
        is_depthwise: Whether each weight counts for a whole channel: there are
            few, and each matters.
    """

    layer: str
    weight: str
    variable: Any
    output_axis: int = -1
    is_depthwise: bool = False

    @property
    def num_elements(self) -> int:
        """Number of weights."""
        return int(self.variable.shape.num_elements())

    def __str__(self) -> str:
        return f"{self.layer}/{self.weight}"


def find(model: Any) -> tuple[Kernel, ...]:
    """Returns the kernels of a model, shared ones once, in its order.

    Args:
        model: A built functional or Sequential `tf_keras` model.
    """
    return of_layers(layer_support.walk(model))


def of_layers(layers: Iterable[tuple[str, Any]]) -> tuple[Kernel, ...]:
    """Returns the kernels of layers, shared ones once.

    Args:
        layers: Paths and built `tf_keras` layers.
    """
    found: dict[int, Kernel] = {}
    for path, layer in layers:
        if not base.is_nested(layer):
            for kernel in _kernels(path, layer):
                found.setdefault(id(kernel.variable), kernel)
    return tuple(found.values())


def first_match(kernel: Kernel, patterns: Iterable[str]) -> str | None:
    """Returns the first regular expression that matches the whole path."""
    return next((x for x in patterns if re.fullmatch(x, kernel.layer)), None)


def require_matches(
    patterns: Collection[str], kernels: Collection[Kernel]
) -> None:
    """Checks that each regular expression matches a layer with a kernel.

    Raises:
        InputError: If one does not.
    """
    idle = [
        pattern
        for pattern in patterns
        if not any(first_match(kernel, [pattern]) for kernel in kernels)
    ]
    if idle:
        known = dict.fromkeys(kernel.layer for kernel in kernels)
        raise errors.InputError(
            "Each of `layers` must match a layer with a kernel. Received: "
            f"{', '.join(map(repr, idle))}. Layers with kernels: "
            f"{', '.join(known) or 'none'}."
        )


def check_patterns(patterns: Iterable[str]) -> None:
    """Checks that all are regular expressions.

    Raises:
        InputError: If one is not.
    """
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise errors.InputError(
                "`layers` must be names of layers or regular expressions. "
                f"Received: {pattern!r}: {error}."
            ) from error


def _kernels(path: str, layer: Any) -> Iterator[Kernel]:
    owners = {"": getattr(layer, "cell", layer)}
    for name in _OWNERS:
        owner: Any = layer
        for part in name.split("."):
            owner = getattr(owner, part, None)
        owners[f"{name}."] = owner
    for prefix, owner in owners.items():
        for name in NAMES:
            variable = getattr(owner, name, None)
            if variable is not None and len(variable.shape) > 1:
                yield Kernel(
                    layer=path,
                    weight=prefix + name,
                    variable=variable,
                    # A transposed convolution has the input channels last.
                    output_axis=(
                        -2 if type(owner).__name__.endswith("Transpose") else -1
                    ),
                    is_depthwise=_is_depthwise(owner, name, variable),
                )


def _is_depthwise(owner: Any, name: str, variable: Any) -> bool:
    grouped = getattr(owner, "groups", 1) > 1 and variable.shape[-2] == 1
    return name == "depthwise_kernel" or grouped
