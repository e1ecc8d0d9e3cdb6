# SPDX-License-Identifier: Apache-2.0
"""Sizes for the dimensions that a file leaves open.

Owns the matching of what a user gives to a file's inputs; what follows for
other tensors is the runtime's business.
"""

import pathlib
from collections.abc import Mapping, Sequence

from tflite_opt.records import errors
from tflite_opt.tflite import flatbuffer, operations

# What the runtime can hold.
_MAX_SIZE = (1 << 31) - 1


def resolve(
    path: pathlib.Path,
    model: flatbuffer.Model,
    by_name: Mapping[str, Sequence[int]],
    dynamic_dimension: int | None,
    *,
    subgraph: int = 0,
) -> tuple[tuple[int, ...], ...]:
    """Returns the shapes of all inputs of a subgraph, in their order.

    Args:
        path: The file, for messages.
        model: Its content.
        by_name: Shapes of inputs, by tensor name or by the name in a
            signature of the subgraph. Fixed dimensions may be changed.
        dynamic_dimension: Size of all other open dimensions.
        subgraph: Index of the subgraph; the main one by default.

    Returns:
        Empty if nothing differs from the file's own shapes.

    Raises:
        InputError: If a name or rank does not fit, a size is no positive
            integer, or some open dimensions were given and others not.
    """
    graph = model.subgraphs[subgraph]
    names = _names(model, subgraph)
    given: dict[int, tuple[int, ...]] = {}
    for name, shape in by_name.items():
        if name not in names:
            raise errors.InputError(
                "Shapes must be for inputs of the model. "
                f"Received: {name!r}. Inputs of {str(path)!r}: "
                f"{', '.join(map(repr, names)) or 'none with a name'}."
            )
        given[names[name]] = tuple(shape)
    stored = [
        operations.stored_shape(graph.tensors[index]) for index in graph.inputs
    ]
    found = [
        _checked(path, shape, given.get(index, shape), dynamic_dimension)
        for index, shape in zip(graph.inputs, stored, strict=True)
    ]
    if found == stored:
        return ()
    if any(-1 in shape for shape in found):
        raise errors.InputError(
            "All open dimensions must be given, or none. "
            f"Received: path={str(path)!r}, shapes={found}, with -1 for open "
            "ones."
        )
    return tuple(found)


def _names(model: flatbuffer.Model, subgraph: int) -> dict[str, int]:
    """Returns tensor indices by the names that inputs go by."""
    graph = model.subgraphs[subgraph]
    names = {graph.tensors[index].name: index for index in graph.inputs}
    for signature in model.signatures:
        if signature.subgraph == subgraph:
            names |= dict(signature.inputs)
    names.pop("", None)
    return names


def _checked(
    path: pathlib.Path,
    stored: tuple[int, ...],
    wanted: tuple[int, ...],
    dynamic_dimension: int | None,
) -> tuple[int, ...]:
    if wanted == stored and dynamic_dimension is not None:
        wanted = tuple(dynamic_dimension if d == -1 else d for d in stored)
    if wanted == stored:
        return stored
    if len(wanted) != len(stored) or not all(
        0 < size <= _MAX_SIZE for size in wanted
    ):
        raise errors.InputError(
            f"An input of {str(path)!r} must get {len(stored)} sizes, each a "
            f"positive integer. Received: {wanted}."
        )
    return wanted
