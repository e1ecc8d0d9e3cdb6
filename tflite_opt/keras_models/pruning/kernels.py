# SPDX-License-Identifier: Apache-2.0
"""Finds the kernels of a model, and says which are not worth pruning."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from tflite_opt.keras_models import kernels

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
    return _with_small_ends_dense(
        [
            Kernel(
                layer=kernel.layer,
                weight=kernel.weight,
                variable=kernel.variable,
                has_groups=not kernel.weight.endswith("embeddings")
                and kernel.output_axis == -1,
                dense_because=kernel.unusual_because,
            )
            for kernel in kernels.of_layers(layers)
        ]
    )


def _with_small_ends_dense(found: list[Kernel]) -> tuple[Kernel, ...]:
    usual = [i for i, k in enumerate(found) if not k.dense_because]
    total = sum(_size(found[i]) for i in usual)
    ends = {usual[0]: "first", usual[-1]: "last"} if len(usual) > 1 else {}
    for i, end in ends.items():
        share = _size(found[i]) / total
        if share <= _SMALL_SHARE:
            found[i] = dataclasses.replace(
                found[i],
                dense_because=f"The {end} kernel costs much accuracy and "
                f"holds only {share:.1%} of the weights.",
            )
    return tuple(found)


def _size(kernel: Kernel) -> int:
    return int(kernel.variable.shape.num_elements())
