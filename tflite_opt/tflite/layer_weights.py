# SPDX-License-Identifier: Apache-2.0
"""Measures, in a `.tflite`, what was promised of the weights of Keras layers.

A layer's weight may be several tensors of the file, as the gates of a
recurrent layer are.
"""

import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from tflite_opt.records import compression, errors, facts
from tflite_opt.tflite import flatbuffer, layer_names, weight_values

_NUM_GATES = 4

_Tensors = dict[tuple[int, int], facts.TensorFacts]


def measure(
    path: pathlib.Path,
    found: facts.ModelFacts,
    promises: Sequence[compression.Promise],
    num_elements: Mapping[tuple[str, str], int],
    layers: Sequence[str],
) -> tuple[compression.KeptPromise, ...]:
    """Returns what a file has of each promise.

    Args:
        path: The `.tflite`.
        found: Facts of it, with values.
        promises: About layers of the Keras model that it was made from.
        num_elements: Of the Keras weights, by layer and weight.
        layers: Paths of all layers of that model.

    Raises:
        VerificationError: If a layer's weights are not in the file.
    """
    tensors = _tensors_of_layers(path, found, layers)
    sizes: dict[str, dict[str, int]] = {}
    for promise in promises:
        key = promise.layer, promise.weight
        sizes.setdefault(promise.layer, {})[promise.weight] = num_elements[key]
    _find_unnamed(found, tensors, sizes)
    model = flatbuffer.read(path)
    kept = []
    for promise in promises:
        size = num_elements[promise.layer, promise.weight]
        chosen = _choose(tensors.get(promise.layer, {}), size)
        if not chosen:
            raise errors.VerificationError(
                f"The weights of {promise.layer!r} must be in the .tflite. "
                "Received: no tensor that comes from it."
            )
        kept.append(_measure(model, promise, list(chosen.values())))
    return tuple(kept)


def unfit_blocks(zeros: np.ndarray, n: int, m: int) -> int:
    """Counts blocks of m weights with fewer than n zeros.

    Args:
        zeros: Which weights are zero, shape (channels, others). A rest that
            does not fill a block is not looked at.
        n: Zeros that a block must have.
        m: Weights of a block.
    """
    whole = zeros.shape[1] // m * m
    blocks = zeros[:, :whole].reshape(-1, m)
    return int((blocks.sum(axis=1) < n).sum())


def _tensors_of_layers(
    path: pathlib.Path, found: facts.ModelFacts, layers: Sequence[str]
) -> dict[str, _Tensors]:
    by_operation = layer_names.layers_of_operations(path, found, layers)
    by_key = {(t.subgraph, t.index): t for t in found.tensors}
    tensors: dict[str, _Tensors] = {}
    for operator in found.operators:
        key = operator.subgraph, operator.index
        for layer in by_operation[key]:
            for index in operator.weights:
                weight = operator.subgraph, index
                tensors.setdefault(layer, {})[weight] = by_key[weight]
    return tensors


def _find_unnamed(
    found: facts.ModelFacts,
    tensors: dict[str, _Tensors],
    sizes: Mapping[str, Mapping[str, int]],
) -> None:
    """Adds tensors of layers that no name tells of, by order and size.

    Recurrent layers lose their names when the converter fuses them.

    Args:
        found: The file.
        tensors: Of the layers that names tell of; others are added.
        sizes: Of promised weights, by layer in the model's order and weight.
    """
    by_key = {(t.subgraph, t.index): t for t in found.tensors}
    named = {key for known in tensors.values() for key in known}
    unnamed = [
        weights
        for operator in found.operators
        if (
            weights := {
                (operator.subgraph, i): by_key[operator.subgraph, i]
                for i in operator.weights
            }
        )
        and not named & set(weights)
    ]
    for layer, wanted in sizes.items():
        if layer in tensors:
            continue
        taken: _Tensors = {}
        while (
            unnamed
            and sum(t.num_elements for t in taken.values())
            < sum(wanted.values())
            and all(_of_size(unnamed[0], size) for size in wanted.values())
        ):
            taken |= unnamed.pop(0)
        if taken:
            tensors[layer] = taken


def _choose(tensors: _Tensors, size: int) -> _Tensors:
    """Returns the tensors that hold a weight of a layer, by their size."""
    return _of_size(tensors, size) or tensors


def _of_size(tensors: _Tensors, size: int) -> _Tensors:
    """Returns the tensors that are as large as a weight, or as its gates."""
    for wanted in (size, size // _NUM_GATES):
        same = {k: t for k, t in tensors.items() if t.num_elements == wanted}
        if same:
            return same
    return {}


def _measure(
    model: flatbuffer.Model,
    promise: compression.Promise,
    tensors: Sequence[facts.TensorFacts],
) -> compression.KeptPromise:
    values = [tensor.values for tensor in tensors]
    known = [x for x in values if x is not None]
    if len(known) < len(values):
        raise errors.VerificationError(
            f"The values of {promise.layer!r} must be readable. Received: "
            f"dtype={tensors[0].dtype}."
        )
    num_elements = sum(tensor.num_elements for tensor in tensors)
    return compression.KeptPromise(
        promise=promise,
        where="tflite",
        dtype=max(t.dtype for t in tensors if t.dtype),
        num_elements=num_elements,
        zero_fraction=sum(x.zeros for x in known) / num_elements,
        unique_values=max(x.unique_values for x in known),
        channel_unique_values=int(
            max(x.channel_unique_values.maximum for x in known)
        ),
        unfit_blocks=_unfit_blocks(model, promise, tensors),
    )


def _unfit_blocks(
    model: flatbuffer.Model,
    promise: compression.Promise,
    tensors: Sequence[facts.TensorFacts],
) -> int | None:
    if promise.zeros_of_block is None:
        return None
    n, m = promise.zeros_of_block
    reader = weight_values.Reader(model)
    unfit = 0
    for tensor in tensors:
        stored = model.subgraphs[tensor.subgraph].tensors[tensor.index]
        axis = tensor.values.channel_axis if tensor.values else 0
        zeros = reader.zeros(stored, axis)
        if zeros is None:
            raise errors.VerificationError(
                "Blocks of zeros must be stored densely to be counted. "
                f"Received: a sparse {promise.weight!r} of {promise.layer!r}."
            )
        unfit += unfit_blocks(zeros, n, m)
    return unfit
