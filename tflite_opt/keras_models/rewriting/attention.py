# SPDX-License-Identifier: Apache-2.0
"""Attention as TFLite has it: projections, products and a softmax.

Inside the layer nothing can be rounded, and the converter rejects a product
that has ranges before it and a float kernel.
"""

import inspect
import math
from collections.abc import Sequence
from typing import Any

from tflite_opt.keras_models.rewriting import activations
from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.keras_models.rewriting import layers as own_layers

_ROLES = ("query", "key", "value", "attention_output")


def split(graph: graph_lib.Graph) -> None:
    """Makes each `MultiHeadAttention` a row of layers.

    The last projection keeps the name. One that is shared, masked, that
    returns its scores or does not go over the one axis between the batch and
    the features stays as it is.
    """
    for call in list(graph.calls):
        if call.kind != "MultiHeadAttention" or graph.is_shared(call):
            continue
        inputs = _inputs(call)
        if inputs is None:
            continue
        graph.replace(call, _parts(call, *inputs))
        for role in _ROLES:
            name = _projection_name(call, role)
            for weight in ("kernel", "bias"):
                old = (call.layer.name, f"{role}/{weight}")
                graph.renamed[old] = (name, weight)


def _inputs(call: graph_lib.Call) -> list[graph_lib.Value] | None:
    """Returns query, key and value; None if there is more to the call."""
    layer = call.layer
    named = {
        name: x
        for name, x in inspect.signature(layer.call)
        .bind(*call.args, **call.kwargs)
        .arguments.items()
        if x is not None and x is not False
    }
    query, value = named.pop("query"), named.pop("value")
    inputs = [query, named.pop("key", value), value]
    has_masks = any(
        getattr(tensor, "_keras_mask", None) is not None
        for node in layer._inbound_nodes
        for tensor in node.keras_inputs
    )
    ranks = {len(x.shape) for x in (*inputs, call.output)}
    is_plain = not named and not has_masks and ranks == {3}
    return inputs if is_plain and layer._attention_axes == (1,) else None


def _projection_name(call: graph_lib.Call, role: str) -> str:
    name = call.layer.name
    return name if role == "attention_output" else f"{name}_{role}"


def _parts(
    call: graph_lib.Call,
    query: graph_lib.Value,
    key: graph_lib.Value,
    value: graph_lib.Value,
) -> list[graph_lib.Call]:
    """Returns the calls of one; tensors inside are by heads, then steps."""
    import tf_keras as keras

    layer, name = call.layer, call.layer.name
    product = own_layers.classes()["MatrixProduct"]
    calls: list[graph_lib.Call] = []

    def add(
        part: Any, inputs: Any, shape: Sequence[int | None], weights: Any = None
    ) -> graph_lib.Value:
        shape = (call.output.shape[0], *shape)
        output = graph_lib.Value(shape, call.output.dtype)
        calls.append(graph_lib.Call(part, (inputs,), (output,), {}, weights))
        return output

    def project(
        x: graph_lib.Value,
        role: str,
        shape: Sequence[int | None],
        factor: float = 1,
    ) -> graph_lib.Value:
        part = getattr(layer, f"_{role.removeprefix('attention_')}_dense")
        made = activations.relayer(part, name=_projection_name(call, role))
        # A frozen attention does not say so to parts that it makes later.
        made.trainable = layer.trainable and part.trainable
        weights = [weight * factor for weight in part.get_weights()]
        return add(made, x, (x.shape[1], *shape), weights)

    def swap(x: graph_lib.Value, suffix: str) -> graph_lib.Value:
        part = keras.layers.Permute((2, 1, 3), name=f"{name}_{suffix}")
        return add(part, x, (x.shape[2], x.shape[1], x.shape[3]))

    heads, size = layer._num_heads, layer._key_dim
    # What Keras multiplies the queries with, at no cost.
    factor = 1 / math.sqrt(size)
    queries = project(query, "query", (heads, size), factor)
    queries = swap(queries, "query_heads")
    keys = swap(project(key, "key", (heads, size)), "key_heads")
    values = project(value, "value", (heads, layer._value_dim))
    values = swap(values, "value_heads")
    square = (heads, query.shape[1], key.shape[1])
    scores = add(
        product(transpose_second=True, name=f"{name}_scores"),
        [queries, keys],
        square,
    )
    scores = add(keras.layers.Softmax(name=f"{name}_softmax"), scores, square)
    if layer._dropout:
        dropout = keras.layers.Dropout(layer._dropout, name=f"{name}_dropout")
        scores = add(dropout, scores, square)
    mixed = add(
        product(name=f"{name}_mixed"),
        [scores, values],
        (*square[:2], layer._value_dim),
    )
    steps = swap(mixed, "steps")
    project(steps, "attention_output", call.output.shape[2:])
    calls[-1].outputs = call.outputs
    return calls
