# SPDX-License-Identifier: Apache-2.0
"""Finds the kernels of a model, and says which are not worth pruning."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from tflite_opt.keras_models.support import base

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
        has_groups: Whether the weights of an output channel follow each other
            in the `.tflite` as they do here.
        dense_because: Why it is left dense unless it is named; "" if it is
            pruned.
    """

    layer: str
    weight: str
    variable: Any
    has_groups: bool
    dense_because: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the weight."""
        return tuple(self.variable.shape)

    def __str__(self) -> str:
        return f"{self.layer}/{self.weight}"


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
        for name, variable in named_weights(layer):
            found.setdefault(id(variable), _kernel(path, name, layer, variable))
    return _with_small_ends_dense(list(found.values()))


def named_weights(layer: Any) -> list[tuple[str, Any]]:
    """Returns the trainable weights of two and more dimensions by name.

    Args:
        layer: A built `tf_keras` layer.

    Returns:
        The shortest names that tell them apart: `kernel`, or `query/kernel` in
        a layer that is made of several.
    """
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
        has_groups=own != "embeddings" and not kind.endswith("Transpose"),
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
