# SPDX-License-Identifier: Apache-2.0
"""What one inference runs: a graph of a file, its inputs and outputs.

Read from the file alone; nothing is run.
"""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

from tflite_opt.records import errors, facts
from tflite_opt.tflite import flatbuffer, open_dimensions


@dataclasses.dataclass(frozen=True, kw_only=True)
class EntryPoint:
    """One signature, or the main graph.

    Attributes:
        subgraph: Index of its graph.
        input_tensors: Tensor indices of the inputs.
        output_tensors: Tensor indices of the outputs.
        inputs: What each input expects, with the shape to run it with, by the
            name in the signature or else of the tensor.
        resized: Whether a shape is another one than the file's own.
    """

    subgraph: int
    input_tensors: tuple[int, ...]
    output_tensors: tuple[int, ...]
    inputs: tuple[facts.TensorSpec, ...]
    resized: bool


def find(
    path: pathlib.Path,
    model: flatbuffer.Model,
    *,
    signature: str = "",
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    dynamic_dimension: int | None = None,
) -> EntryPoint:
    """Returns what to run.

    Args:
        path: The file, for messages.
        model: Its content.
        signature: Key of a signature; "" for the main graph.
        input_shapes: Instead of the file's own, by name of the input.
        dynamic_dimension: Size of all other dimensions left open.

    Raises:
        InputError: If there is no such signature, or the shapes do not fit.
        ModelError: If the file describes an input by impossible scales.
    """
    chosen = _signature(path, model, signature)
    index = chosen.subgraph if chosen else 0
    graph = model.subgraphs[index]
    shapes = open_dimensions.resolve(
        path, model, input_shapes or {}, dynamic_dimension, subgraph=index
    )
    names = {tensor: name for name, tensor in chosen.inputs} if chosen else {}
    # What is open has this size until it is resized.
    stored = [graph.tensors[tensor].shape for tensor in graph.inputs]
    return EntryPoint(
        subgraph=index,
        input_tensors=graph.inputs,
        output_tensors=graph.outputs,
        inputs=tuple(
            _spec(position, graph.tensors[tensor], names.get(tensor), shape)
            for position, (tensor, shape) in enumerate(
                zip(graph.inputs, shapes or stored, strict=True)
            )
        ),
        resized=bool(shapes),
    )


def _signature(
    path: pathlib.Path, model: flatbuffer.Model, key: str
) -> flatbuffer.Signature | None:
    if not key:
        # With several, or another graph than the main one, names are
        # ambiguous.
        only = model.signatures[0] if len(model.signatures) == 1 else None
        return only if only and only.subgraph == 0 else None
    for signature in model.signatures:
        if signature.key == key:
            return signature
    known = ", ".join(repr(signature.key) for signature in model.signatures)
    raise errors.InputError(
        f"`signature` must be one of {str(path)!r}: {known or 'it has none'}. "
        f"Received: signature={key!r}."
    )


def _spec(
    position: int,
    tensor: flatbuffer.Tensor,
    name: str | None,
    shape: Sequence[int],
) -> facts.TensorSpec:
    scale = tensor.scale.tolist()
    zero_point = tensor.zero_point.tolist() or [0] * len(scale)
    return facts.TensorSpec(
        name=name or tensor.name or f"input_{position}",
        shape=tuple(max(size, 1) for size in shape),
        dtype=tensor.dtype,
        scale=tuple(scale),
        zero_point=tuple(zero_point),
    )
