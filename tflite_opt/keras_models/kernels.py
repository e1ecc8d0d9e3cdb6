# SPDX-License-Identifier: Apache-2.0
"""Finds the kernels of layers: the weights that hold nearly all the bytes."""

import dataclasses
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from tflite_opt.records import errors

# Keras' own names of weights that multiply many inputs.
_USUAL = frozenset(
    {"kernel", "pointwise_kernel", "recurrent_kernel", "embeddings"}
)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Kernel:
    """One trainable weight of two or more dimensions of a layer.

    Attributes:
        layer: Path of the layer.
        weight: Its name in the layer; see `named_weights`.
        variable: The `tf.Variable`.
        output_axis: The dimension of the output channels.
        unusual_because: Why it is best left as it is; "" if it is a kernel
            like most.
    """

    layer: str
    weight: str
    variable: Any
    output_axis: int = -1
    unusual_because: str = ""

    @property
    def num_elements(self) -> int:
        """Number of weights."""
        return int(self.variable.shape.num_elements())

    def __str__(self) -> str:
        return f"{self.layer}/{self.weight}"


def of_layers(layers: Iterable[tuple[str, Any]]) -> tuple[Kernel, ...]:
    """Returns the kernels of layers, shared ones once.

    Args:
        layers: Paths and built `tf_keras` layers in the model's order, see
            `layer_support.walk`.
    """
    import tf_keras as keras

    found: dict[int, Kernel] = {}
    for path, layer in layers:
        if isinstance(layer, keras.Model):
            continue
        for name, variable in named_weights(layer):
            kernel = Kernel(
                layer=path,
                weight=name,
                variable=variable,
                output_axis=-2 if is_transposed(layer) else -1,
                unusual_because=_unusual(layer, name, variable),
            )
            found.setdefault(id(variable), kernel)
    return tuple(found.values())


def named_weights(layer: Any) -> list[tuple[str, Any]]:
    """Returns the trainable weights of two and more dimensions by name.

    Args:
        layer: A built `tf_keras` layer.

    Returns:
        The shortest names that tell them apart: `kernel`, or `query/kernel` in
        a layer that is made of several.
    """
    variables = [w for w in layer.trainable_weights if len(w.shape) > 1]
    return list(zip(short_names(variables), variables, strict=True))


def short_names(variables: Sequence[Any]) -> list[str]:
    """Returns the shortest names that tell variables apart.

    Args:
        variables: Of one layer.
    """
    parts = [v.name.split(":")[0].split("/") for v in variables]
    for length in range(1, max(map(len, parts), default=0) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [f"weight_{i}" for i in range(len(variables))]


def is_transposed(layer: Any) -> bool:
    """Whether a layer's kernel has the input channels last."""
    return type(layer).__name__.endswith("Transpose")


def first_match(layer: str, patterns: Iterable[str]) -> str | None:
    """Returns the first regular expression that matches a whole path."""
    return next((x for x in patterns if re.fullmatch(x, layer)), None)


def require_matches(patterns: Iterable[str], layers: Collection[str]) -> None:
    """Checks that each regular expression matches a layer with a kernel.

    Args:
        patterns: The regular expressions.
        layers: Paths of the layers with kernels; may repeat.

    Raises:
        InputError: If one does not.
    """
    idle = [
        pattern
        for pattern in patterns
        if not any(first_match(layer, [pattern]) for layer in layers)
    ]
    if idle:
        raise errors.InputError(
            "Each of `layers` must match a layer with a kernel. Received: "
            f"{', '.join(map(repr, idle))}. Layers with kernels: "
            f"{', '.join(dict.fromkeys(layers)) or 'none'}."
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


def _unusual(layer: Any, name: str, variable: Any) -> str:
    own = name.rsplit("/", 1)[-1]
    grouped = getattr(layer, "groups", 1) > 1 and variable.shape[-2] == 1
    if own == "depthwise_kernel" or grouped:
        return "Depthwise kernels hold few weights, each of which counts."
    if own not in _USUAL:
        kind = type(layer).__name__
        return f"{own} of {kind} is no kernel that is usually compressed."
    return ""
