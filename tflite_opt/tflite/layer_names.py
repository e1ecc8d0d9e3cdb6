# SPDX-License-Identifier: Apache-2.0
"""Finds out which Keras layers an operation came from.

Converters keep the scopes of Keras in the names of tensors: `model/conv/Relu`,
and `model/relu/Relu;model/conv/Conv2D` for what was fused. Some names are
lost: outputs of the model are called `PartitionedCall:0`, and a recurrent
layer leaves `while/...`. What no name tells stays unknown; nothing is guessed.
"""

import pathlib
from collections.abc import Iterable, Iterator, Sequence

from tflite_opt.records import facts
from tflite_opt.tflite import flatbuffer

Key = tuple[int, int]


def layers_of_operations(
    path: pathlib.Path, found: facts.ModelFacts, layers: Sequence[str]
) -> dict[Key, tuple[str, ...]]:
    """Returns the Keras layers of each operation.

    Args:
        path: The `.tflite`.
        found: Facts of it.
        layers: Paths of all Keras layers, in the model's order; `outer/inner`
            in a nested model.

    Returns:
        By subgraph and index of the operation, in the order of `layers`; empty
        for an operation of which no name tells.

    Raises:
        ModelError: If the file is no valid `.tflite`.
    """
    names = {(t.subgraph, t.index): t.name for t in found.tensors}
    scopes = {tuple(layer.split("/")): layer for layer in layers}
    order = {layer: index for index, layer in enumerate(layers)}
    ports = _output_ports(path)

    def layers_in(keys: Iterable[Key]) -> tuple[str, ...]:
        chosen = {
            layer for key in keys for layer in _layers_in(names[key], scopes)
        }
        return tuple(sorted(chosen, key=order.__getitem__))

    result = {}
    for operator in found.operators:
        graph = operator.subgraph
        outputs = [(graph, i) for i in operator.outputs if i != -1]
        # Constants are shared between operations, so the outputs come first.
        weights = [(graph, i) for i in operator.weights]
        result[graph, operator.index] = (
            layers_in(outputs)
            or layers_in(weights)
            or tuple(ports[key] for key in outputs if ports.get(key) in order)
        )
    return result


def _layers_in(name: str, scopes: dict[tuple[str, ...], str]) -> Iterator[str]:
    """Yields the layers that a tensor's name tells of."""
    longest = max(map(len, scopes), default=0)
    for part in name.split(";"):
        # The last component is an operation, which may be called like a layer.
        parts = tuple(part.split("/")[:-1])
        # The first component is the model, which may be called like a layer
        # of its own; without one, the layer comes first.
        starts = [*range(1, len(parts)), 0] if parts else []
        spans = (
            parts[start : start + length]
            for start in starts
            for length in range(longest, 0, -1)
        )
        layer = next((scopes[span] for span in spans if span in scopes), None)
        if layer is not None:
            yield layer


def _output_ports(path: pathlib.Path) -> dict[Key, str]:
    """Returns the signatures' names of outputs, by subgraph and tensor.

    Keras calls an output like the layer that computes it.
    """
    return {
        (signature.subgraph, index): name
        for signature in flatbuffer.read(path).signatures
        for name, index in signature.outputs
    }
