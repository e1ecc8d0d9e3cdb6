# SPDX-License-Identifier: Apache-2.0
"""A functional model as a flat list of calls, which rules can change.

Models inside the model are opened: their layers stand in the list themselves,
under the name `outer/inner`.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


@dataclasses.dataclass(eq=False)
class Value:
    """A tensor between two calls.

    Attributes:
        shape: With None for sizes that are open, the batch first.
        dtype: TensorFlow's name.
    """

    shape: tuple[int | None, ...]
    dtype: str = "float32"


@dataclasses.dataclass(eq=False)
class Call:
    """A layer and what it is called with.

    Attributes:
        layer: A `tf_keras` layer; called more than once if it is shared.
        args: Its arguments, any structure with `Value`s in it.
        kwargs: Its named arguments, likewise.
        outputs: What it returns, flattened.
        weights: What the layer gets once it is built; None if it has its
            weights already.
        path: Of the layer in the model that was read, `outer/inner` in a model
            inside it; "" for a call that a rule made.
    """

    layer: Any
    args: Any
    outputs: tuple[Value, ...]
    kwargs: Any = dataclasses.field(default_factory=dict)
    weights: Sequence[np.ndarray] | None = None
    path: str = ""

    @property
    def kind(self) -> str:
        """The name of the layer's class."""
        return type(self.layer).__name__

    @property
    def output(self) -> Value:
        """The first output, for most layers the only one."""
        return self.outputs[0]

    @functools.cached_property
    def inputs(self) -> list[Value]:
        """All tensors that it is called with."""
        return values_in((self.args, self.kwargs))

    def take(self, args: Any, kwargs: Any) -> None:
        """Calls the layer with something else."""
        self.args, self.kwargs = args, kwargs
        self.__dict__.pop("inputs", None)

    def redirect(self, old: Value, new: Value) -> None:
        """Gives the layer another tensor in the place of one."""

        def other(value: Any) -> Any:
            return new if value is old else value

        self.take(*_map((self.args, self.kwargs), other))

    def get_weights(self) -> list[np.ndarray]:
        """Returns the weights, in the layer's order."""
        if self.weights is not None:
            return list(self.weights)
        return list(self.layer.get_weights())


@dataclasses.dataclass
class Graph:
    """The calls of a model in an order in which they can be made.

    Attributes:
        name: Of the model.
        inputs: In the model's order, each with the name of its input.
        calls: Rules change this list.
        outputs: The structure that the model returns, with `Value`s in it.
        renamed: Layer and weight by what they were called in the model.
    """

    name: str
    inputs: dict[str, Value]
    calls: list[Call]
    outputs: Any
    renamed: dict[tuple[str, str], tuple[str, str]] = dataclasses.field(
        default_factory=dict
    )

    def producer(self, value: Value) -> Call | None:
        """Returns the call that a tensor comes from; None for an input."""
        return next((c for c in self.calls if value in c.outputs), None)

    def readers(self, value: Value) -> list[Call]:
        """Returns the calls that take a tensor."""
        return [c for c in self.calls if value in c.inputs]

    def only_reader(self, value: Value) -> Call | None:
        """Returns the call that takes a tensor if nothing else does."""
        readers = self.readers(value)
        if len(readers) != 1 or value in values_in(self.outputs):
            return None
        return readers[0]

    def is_shared(self, call: Call) -> bool:
        """Whether the layer of a call is called elsewhere, too."""
        return sum(c.layer is call.layer for c in self.calls) > 1

    def replace(self, old: Call, new: Sequence[Call]) -> None:
        """Puts calls in the place of one.

        Args:
            old: A call of the list with one output.
            new: The last of them yields `old.output`.
        """
        index = self.calls.index(old)
        self.calls[index : index + 1] = new

    def remove(self, call: Call) -> None:
        """Takes out a call with one input; its readers get that input."""
        self.calls.remove(call)
        self.redirect(call.output, call.inputs[0])

    def redirect(self, old: Value, new: Value) -> None:
        """Gives whatever takes one tensor another one."""

        def other(value: Any) -> Any:
            return new if value is old else value

        for call in self.calls:
            if old in call.inputs:
                call.redirect(old, new)
        self.outputs = _map(self.outputs, other)


def values_in(structure: Any) -> list[Value]:
    """Returns the tensors in a structure, flattened."""
    return [x for x in flat(structure) if isinstance(x, Value)]


def read(model: Any, *, rename: bool = True) -> Graph:
    """Returns the calls of a model.

    Args:
        model: A built functional or Sequential `tf_keras` model. Its layers
            become part of the graph, so it must not be trained any more once
            a model is built from that.
        rename: Whether layers get their paths as names. Without that, the
            model is not modified.
    """
    known: dict[int, Value] = {}
    inputs = {}
    for name, tensor in zip(model.input_names, model.inputs, strict=True):
        inputs[name] = known[id(tensor)] = _value(tensor)
    calls: list[Call] = []
    _read_calls(model, known, calls, "")
    if rename:
        for call in calls:
            call.layer._name = call.path
    outputs = _map(
        model._nested_outputs, lambda tensor: known.get(id(tensor), tensor)
    )
    return Graph(model.name, inputs, calls, outputs)


def build(
    graph: Graph, wrap: Callable[[Call], Any] | None = None
) -> tuple[Any, dict[Value, Any]]:
    """Returns the model of a graph.

    Args:
        graph: Its layers become those of the model.
        wrap: What to call in the place of a call's layer; None for the layer.

    Returns:
        The model and the symbolic tensor of each value.
    """
    import tf_keras as keras

    tensors: dict[Any, Any] = {
        value: keras.Input(
            value.shape[1:], value.shape[0], name=name, dtype=value.dtype
        )
        for name, value in graph.inputs.items()
    }
    inputs = list(tensors.values())

    def tensor_of(value: Any) -> Any:
        return tensors[value] if isinstance(value, Value) else value

    wrapped: dict[int, Any] = {}
    for call in graph.calls:
        # Or the layer would still say that it is part of an earlier model.
        call.layer._inbound_nodes.clear()
        call.layer._outbound_nodes.clear()
    for call in graph.calls:
        if id(call.layer) not in wrapped:
            wrapped[id(call.layer)] = wrap(call) if wrap else call.layer
        args, kwargs = _map((call.args, call.kwargs), tensor_of)
        outputs = wrapped[id(call.layer)](*args, **kwargs)
        if call.weights is not None and wrap is None:
            call.layer.set_weights(call.weights)
            # `Normalization` computes with copies of them.
            call.layer.finalize_state()
            call.weights = None
        tensors.update(zip(call.outputs, flat(outputs), strict=True))
    outputs = _map(graph.outputs, tensor_of)
    model = keras.Model(
        inputs[0] if len(inputs) == 1 else inputs, outputs, name=graph.name
    )
    return model, tensors


def _read_calls(
    model: Any, known: dict[int, Value], calls: list[Call], prefix: str
) -> None:
    import tf_keras as keras

    def value(x: Any) -> Any:
        return known.get(id(x), x)

    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            layer = node.layer
            if isinstance(layer, keras.layers.InputLayer):
                continue
            args, kwargs = _map((node.call_args, node.call_kwargs), value)
            tensors = flat(node.outputs)
            if hasattr(layer, "_nodes_by_depth"):
                _open(layer, args, tensors, known, calls, prefix)
                continue
            for tensor in tensors:
                known[id(tensor)] = _value(tensor)
            calls.append(
                Call(
                    layer,
                    args,
                    tuple(known[id(tensor)] for tensor in tensors),
                    kwargs,
                    path=prefix + layer.name,
                )
            )


def _open(
    model: Any,
    args: Any,
    tensors: Sequence[Any],
    known: dict[int, Value],
    calls: list[Call],
    prefix: str,
) -> None:
    """Reads the calls of a model inside a model for one call of it."""
    inner = dict(known)
    inner |= {
        id(tensor): value
        for tensor, value in zip(model.inputs, values_in(args), strict=True)
    }
    _read_calls(model, inner, calls, f"{prefix}{model.name}/")
    for outer, own in zip(tensors, model.outputs, strict=True):
        known[id(outer)] = inner[id(own)]


def _value(tensor: Any) -> Value:
    return Value(tuple(tensor.shape), tensor.dtype.name)


def _map(structure: Any, function: Callable[[Any], Any]) -> Any:
    import tensorflow as tf

    return tf.nest.map_structure(function, structure)


def flat(structure: Any) -> list[Any]:
    """Returns all that is in a structure, tensors or not."""
    import tensorflow as tf

    return list(tf.nest.flatten(structure))
