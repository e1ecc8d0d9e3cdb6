# SPDX-License-Identifier: Apache-2.0
"""Takes whole residual blocks out of a model.

A block is what lies between a tensor and the `Add` that adds that tensor to
what the block computed from it. Without it, the tensor goes on as it is.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.data import dataset
from tflite_opt.keras_models import freezing, kernels
from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.records import errors

# Whose outputs are compared, at most.
_NUM_EXAMPLES = 512
_SWITCHES = "open_blocks"


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """A residual block.

    Attributes:
        add: The call that ends it.
        shortcut: The tensor that goes around it.
        calls: All of it, with `add`.
    """

    add: graph_lib.Call
    shortcut: graph_lib.Value
    calls: tuple[graph_lib.Call, ...]

    @property
    def name(self) -> str:
        """The path of the layer that ends it."""
        return self.add.path


def remove(
    model: Any,
    count: int,
    protected: Sequence[str],
    examples: dataset.Split,
) -> tuple[Any, tuple[str, ...]]:
    """Removes the residual blocks whose removal changes the outputs least.

    One after the other, each time the one without which the outputs are the
    nearest to those of the whole model, by their mean squared difference.

    Args:
        model: A functional or Sequential `tf_keras` model. Its layers become
            part of the result, so it must not be used any more.
        count: How many, at least 1.
        protected: Regular expressions; a block with a layer whose path one of
            them matches stays.
        examples: The first ones are run.

    Returns:
        The model, and the names of the blocks in the order they went.

    Raises:
        InputError: If there are fewer blocks.
    """
    graph = graph_lib.read(model)
    _require_enough(find(graph), count, protected)
    blocks = _removable(find(graph), protected)
    apart = _Distance(
        graph, blocks, freezing.first_examples(model, examples, _NUM_EXAMPLES)
    )
    ends = [block.add.output for block in blocks]
    removed: list[Block] = []
    for _ in range(count):
        # One that is inside of a removed one is gone, too.
        left = [x for x in find(graph) if x.add.output in ends]
        _require_enough([*removed, *left], count, ())
        least = min(left, key=lambda block: apart([*removed, block]))
        graph = _without(graph, least)
        removed.append(least)
    return graph_lib.build(graph)[0], tuple(x.name for x in removed)


class _Distance:
    """How far outputs are without some blocks; traced once for all."""

    def __init__(
        self,
        graph: graph_lib.Graph,
        blocks: Sequence[Block],
        inputs: Mapping[str, np.ndarray],
    ) -> None:
        self._ends = [block.add.output for block in blocks]
        self._inputs = inputs
        switched = _switched(graph, blocks)
        self._run = freezing.predictor(graph_lib.build(switched)[0])
        self._wanted = self._outputs([])

    def __call__(self, without: Sequence[Block]) -> float:
        """Returns the mean squared difference from the whole model's."""
        found = self._outputs([block.add.output for block in without])
        return float(np.mean((found - self._wanted) ** 2))

    def _outputs(self, closed: Sequence[graph_lib.Value]) -> np.ndarray:
        """Returns all outputs of the model, shape (examples, values)."""
        count = len(next(iter(self._inputs.values())))
        opened = [float(end not in closed) for end in self._ends]
        switches = np.tile(np.array(opened, np.float32), (count, 1))
        found = self._run({**self._inputs, _SWITCHES: switches}).values()
        return np.concatenate([x.reshape(len(x), -1) for x in found], axis=1)


def _switched(
    graph: graph_lib.Graph, blocks: Sequence[Block]
) -> graph_lib.Graph:
    """Returns a graph of the same layers with one input more.

    Its numbers, one for each block, are what is multiplied with what a block
    adds to its shortcut.
    """
    import tensorflow as tf
    import tf_keras as keras

    switches = graph_lib.Value((None, len(blocks)))
    inputs = {**graph.inputs, _SWITCHES: switches}
    calls = [dataclasses.replace(call) for call in graph.calls]
    found = dataclasses.replace(graph, inputs=inputs, calls=calls)
    for index, block in enumerate(blocks):
        position = next(
            i for i, x in enumerate(calls) if block.add.output in x.outputs
        )
        add = calls[position]
        branch = next(x for x in add.inputs if x is not block.shortcut)
        added = graph_lib.Value(branch.shape, branch.dtype)

        def switch(given: Any, index: int = index) -> Any:
            value, numbers = given
            factor = tf.cast(numbers[:, index], value.dtype)
            return value * tf.reshape(
                factor, [-1] + [1] * (len(value.shape) - 1)
            )

        layer = keras.layers.Lambda(switch)
        calls.insert(
            position, graph_lib.Call(layer, ([branch, switches],), (added,))
        )
        add.redirect(branch, added)
    return found


def find(graph: graph_lib.Graph) -> tuple[Block, ...]:
    """Returns the blocks of a model, in its order."""
    return tuple(
        block
        for call in graph.calls
        if call.kind == "Add" and len(call.inputs) == 2
        for shortcut, branch in (call.inputs, call.inputs[::-1])
        if (block := _block(graph, call, shortcut, branch))
    )


def _block(
    graph: graph_lib.Graph,
    add: graph_lib.Call,
    shortcut: graph_lib.Value,
    branch: graph_lib.Value,
) -> Block | None:
    """Returns the block if the branch comes from the shortcut alone."""
    if shortcut is branch or shortcut.shape != add.output.shape:
        return None
    calls, waiting = {add}, [branch]
    while waiting:
        value = waiting.pop()
        if value is shortcut:
            continue
        call = graph.producer(value)
        if call is None:
            return None
        if call not in calls:
            calls.add(call)
            waiting += call.inputs
    inner = [value for x in calls - {add} for value in x.outputs]
    leaving = set(graph_lib.values_in(graph.outputs)) & set(inner)
    if leaving or any(set(graph.readers(x)) - calls for x in inner):
        return None
    ordered = tuple(call for call in graph.calls if call in calls)
    return Block(add=add, shortcut=shortcut, calls=ordered)


def _without(graph: graph_lib.Graph, block: Block) -> graph_lib.Graph:
    """Returns a graph of the same layers without a block."""
    calls = [
        dataclasses.replace(call)
        for call in graph.calls
        if call not in block.calls
    ]
    found = dataclasses.replace(graph, calls=calls)
    found.redirect(block.add.output, block.shortcut)
    return found


def _removable(
    blocks: Sequence[Block], protected: Sequence[str]
) -> list[Block]:
    return [
        block
        for block in blocks
        if not any(
            kernels.first_match(call.path, protected) for call in block.calls
        )
    ]


def _require_enough(
    blocks: Sequence[Block], count: int, protected: Sequence[str]
) -> None:
    names = [block.name for block in _removable(blocks, protected)]
    if count > len(names):
        raise errors.InputError(
            "`blocks` must be residual blocks of the model that are not "
            f"protected. Received: blocks={count}. There are {len(names)}: "
            f"{', '.join(names) or 'none'}."
        )
