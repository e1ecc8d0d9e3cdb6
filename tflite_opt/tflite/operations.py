# SPDX-License-Identifier: Apache-2.0
"""What each operation of a file does, costs and owns.

Joins the tables about operations: which operands are weights, which products
are computed, which graphs are run. Reads no values.
"""

import dataclasses
import math
from collections.abc import Sequence

from tflite_opt.records import facts
from tflite_opt.tflite import callees, flatbuffer, macs, operands

# Shapes of the tensors of each subgraph.
Shapes = Sequence[Sequence[macs.Shape]]


@dataclasses.dataclass(frozen=True)
class Operations:
    """The operations of all subgraphs, and their stored operands.

    Attributes:
        operators: In execution order.
        roles: Of stored operands, by subgraph and tensor.
        channel_axes: The dimension of a weight's channels, likewise.
    """

    operators: tuple[facts.OperatorFacts, ...]
    roles: dict[tuple[int, int], facts.TensorRole]
    channel_axes: dict[tuple[int, int], int]


def describe(model: flatbuffer.Model, shapes: Shapes) -> Operations:
    """Returns what is known of a file's operations.

    Args:
        model: The file.
        shapes: Of all tensors, by subgraph; None or -1 for what is open.
    """
    looped = _looped_subgraphs(model)
    found: list[facts.OperatorFacts] = []
    weights: dict[tuple[int, int], int] = {}
    biases: dict[tuple[int, int], facts.TensorRole] = {}
    for index, subgraph in enumerate(model.subgraphs):
        tracer = operands.ConstantTracer(model, subgraph)
        for position, operator in enumerate(subgraph.operators):
            own_weights = tracer.weights(operator)
            own_biases = tracer.biases(operator)
            for tensor in own_weights:
                axis = _channel_axis(operator.name, subgraph.tensors[tensor])
                weights.setdefault((index, tensor), axis)
            biases |= {(index, tensor): "bias" for tensor in own_biases}
            found.append(
                facts.OperatorFacts(
                    subgraph=index,
                    index=position,
                    name=operator.name,
                    version=operator.version,
                    is_custom=operator.is_custom,
                    inputs=operator.inputs,
                    outputs=operator.outputs,
                    weights=own_weights,
                    macs=macs.count(operator, shapes[index]),
                    parameters=sum(
                        num_elements(subgraph.tensors[tensor])
                        for tensor in {*own_weights, *own_biases}
                    ),
                    in_loop=index in looped,
                )
            )
    return Operations(
        tuple(found), biases | dict.fromkeys(weights, "weight"), weights
    )


def _channel_axis(name: str, weight: flatbuffer.Tensor) -> int:
    if len(weight.scale) > 1:
        return weight.quantized_dimension
    return operands.channel_axis(name, len(weight.shape))


def stored_shapes(model: flatbuffer.Model) -> Shapes:
    """Returns the shapes that a file itself gives to its tensors."""
    return [
        [stored_shape(tensor) for tensor in subgraph.tensors]
        for subgraph in model.subgraphs
    ]


def stored_shape(tensor: flatbuffer.Tensor) -> tuple[int, ...]:
    """Returns a tensor's shape with -1 for open dimensions."""
    return tensor.shape_signature or tensor.shape


def num_elements(tensor: flatbuffer.Tensor) -> int:
    """Returns the product of a tensor's shape; 0 if a dimension is open."""
    shape = stored_shape(tensor)
    return 0 if -1 in shape else math.prod(shape)


def _looped_subgraphs(model: flatbuffer.Model) -> set[int]:
    """Returns the subgraphs that loops run, directly or not."""
    pending = [
        graph
        for subgraph in model.subgraphs
        for operator in subgraph.operators
        if operator.name in callees.LOOPS
        for graph in operator.callees
    ]
    found: set[int] = set()
    while pending:
        index = pending.pop()
        if index not in found:
            found.add(index)
            for operator in model.subgraphs[index].operators:
                pending += operator.callees
    return found
