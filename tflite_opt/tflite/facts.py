# SPDX-License-Identifier: Apache-2.0
"""Reads what a `.tflite` says about itself into `ModelFacts`.

Never runs the model in this process: delegation is probed in a child.
"""

import math
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from tflite_opt.records import errors, facts, files, tensor_names
from tflite_opt.tflite import (
    flatbuffer,
    layout,
    open_dimensions,
    operations,
    probe,
    sparsity,
    weight_values,
)

_MIN_RUNTIME_VERSION = "min_runtime_version"
# Where a buffer has several roles, the first one counts.
_BUFFER_ROLES: dict[str, str] = {"weight": "weights", "bias": "biases"}

_Extent = tuple[int, int]


def read_facts(
    path: pathlib.Path,
    *,
    delegation: bool = True,
    isolated: bool = True,
    values: bool = False,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    dynamic_dimension: int | None = None,
) -> facts.ModelFacts:
    """Reads the facts of one `.tflite` file.

    Args:
        path: The file.
        delegation: Whether to prepare the file, with and without XNNPACK. A
            file that cannot be prepared is no error here; the reasons are in
            `ModelFacts.delegation`.
        isolated: Whether to prepare it in a child process, as one from
            anywhere should be.
        values: Whether to look at the values of all weights.
        input_shapes: Shapes of inputs, by tensor name or by the name in a
            signature. MACs and delegation hold for them.
        dynamic_dimension: Size of all other dimensions that the file leaves
            open.

    Raises:
        ModelError: If it is missing, unreadable, or not a valid `.tflite`, or
            cannot be prepared for the given shapes.
        InputError: If the given shapes do not fit its inputs, or the file of
            names beside it is damaged.
    """
    model = flatbuffer.read(path)
    assumed = open_dimensions.resolve(
        path, model, input_shapes or {}, dynamic_dimension
    )
    shapes = (
        probe.tensor_shapes(path, assumed)
        if assumed
        else operations.stored_shapes(model)
    )
    main = model.subgraphs[0]
    sha256 = files.sha256_of_file(path)
    names = tensor_names.names_for(path, sha256)
    with flatbuffer.refusing_damage(path):
        found = operations.describe(model, shapes)
        tensors = _tensors(model, found, names, values)
        return facts.ModelFacts(
            sha256=sha256,
            size_bytes=len(model.content),
            gzip_bytes=_gzip_bytes(path),
            description=model.description,
            min_runtime_version=_min_runtime_version(model),
            metadata_names=tuple(name for name, _ in model.metadata),
            num_subgraphs=len(model.subgraphs),
            signatures=tuple(_signature(model, s) for s in model.signatures),
            inputs=_main_specs(main, main.inputs),
            outputs=_main_specs(main, main.outputs),
            operators=found.operators,
            tensors=tensors,
            bytes_by_dtype=_bytes_by_dtype(model),
            delegation=(
                probe.probe(path, input_shapes=assumed, isolated=isolated)
                if delegation
                else None
            ),
            bytes_by_role=layout.bytes_by_role(
                model.content, _buffer_roles(model, found)
            ),
            parameters=_parameters(model, found),
            sparse_encoded_bytes=(
                _sparse_encoded_bytes(model, tensors) if values else None
            ),
            assumed_shapes=assumed,
        )


def _gzip_bytes(path: pathlib.Path) -> int:
    try:
        return files.gzip_size_of_file(path)
    except MemoryError as error:
        raise errors.ModelError(
            "The model must fit into memory. "
            f"Received: path={str(path)!r}, bytes={path.stat().st_size}."
        ) from error


def _min_runtime_version(model: flatbuffer.Model) -> str | None:
    for name, index in model.metadata:
        if name == _MIN_RUNTIME_VERSION:
            padded = model.buffer_bytes(index)
            text = padded.partition(b"\0")[0].decode(errors="replace")
            return text.strip() or None
    return None


def _tensors(
    model: flatbuffer.Model,
    found: operations.Operations,
    names: tensor_names.Names,
    values: bool,
) -> tuple[facts.TensorFacts, ...]:
    reader = weight_values.Reader(model) if values else None
    tensors = []
    for index, subgraph in enumerate(model.subgraphs):
        inputs, outputs = set(subgraph.inputs), set(subgraph.outputs)
        for position, tensor in enumerate(subgraph.tensors):
            key = index, position
            role = found.roles.get(key)
            if role is None and position in inputs:
                role = "input"
            elif role is None and position in outputs:
                role = "output"
            elif role is None:
                stored = model.is_constant(tensor)
                role = "constant" if stored else "activation"
            size = operations.num_elements(tensor)
            read = None
            if reader is not None and role == "weight" and size:
                read = reader.read(tensor, found.channel_axes[key])
            tensors.append(
                facts.TensorFacts(
                    subgraph=index,
                    index=position,
                    name=tensor.name or names.get(key, ""),
                    shape=operations.stored_shape(tensor),
                    dtype=tensor.dtype,
                    role=role,
                    num_elements=size,
                    constant_bytes=model.buffers[tensor.buffer][1],
                    scales=_num_scales(tensor, subgraph),
                    is_sparse=tensor.sparsity is not None,
                    values=read,
                )
            )
    return tuple(tensors)


def _num_scales(
    tensor: flatbuffer.Tensor, subgraph: flatbuffer.Subgraph
) -> int:
    if tensor.scales_tensor != -1:
        return math.prod(subgraph.tensors[tensor.scales_tensor].shape)
    return len(tensor.scale)


def _buffer_roles(
    model: flatbuffer.Model, found: operations.Operations
) -> dict[_Extent, str]:
    roles = {model.buffers[index]: "metadata" for _, index in model.metadata}
    ranks = list(layout.ROLES)
    for index, subgraph in enumerate(model.subgraphs):
        for position, tensor in enumerate(subgraph.tensors):
            role = found.roles.get((index, position), "")
            own = _BUFFER_ROLES.get(role, "constants")
            extent = model.buffers[tensor.buffer]
            other = roles.get(extent, own)
            roles[extent] = min(own, other, key=ranks.index)
    return {extent: role for extent, role in roles.items() if extent[1]}


def _parameters(model: flatbuffer.Model, found: operations.Operations) -> int:
    # Buffers may be shared, and those of other files have none here.
    elements: dict[_Extent | tuple[int, int, int], int] = {}
    for index, position in found.roles:
        tensor = model.subgraphs[index].tensors[position]
        extent = model.buffers[tensor.buffer]
        key = extent if extent[1] else (index, position, 0)
        elements[key] = operations.num_elements(tensor)
    return sum(elements.values())


def _sparse_encoded_bytes(
    model: flatbuffer.Model, tensors: Sequence[facts.TensorFacts]
) -> int:
    saved: dict[_Extent, int] = {}
    for tensor in tensors:
        if (
            tensor.values is None
            or tensor.is_sparse
            or tensor.dtype not in sparsity.ENCODABLE_DTYPES
        ):
            continue
        stored = model.subgraphs[tensor.subgraph].tensors[tensor.index]
        encoded = sparsity.encoded_bytes(
            tensor.shape,
            tensor.num_elements - tensor.values.zeros,
            tensor.constant_bytes // tensor.num_elements,
            tensor.scales,
        )
        extent = model.buffers[stored.buffer]
        saved[extent] = max(0, tensor.constant_bytes - encoded)
    return len(model.content) - sum(saved.values())


def _bytes_by_dtype(model: flatbuffer.Model) -> dict[str, int]:
    # Buffers may be shared, and so may the bytes of different buffers.
    dtypes: dict[tuple[int, int], str] = {}
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            start, size = model.buffers[tensor.buffer]
            if size:
                dtypes.setdefault((start, size), tensor.dtype)
    totals: dict[str, int] = {}
    for (_, size), dtype in dtypes.items():
        totals[dtype] = totals.get(dtype, 0) + size
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def _signature(
    model: flatbuffer.Model, signature: flatbuffer.Signature
) -> facts.SignatureFacts:
    subgraph = model.subgraphs[signature.subgraph]
    return facts.SignatureFacts(
        key=signature.key,
        inputs=_specs(signature.inputs, subgraph),
        outputs=_specs(signature.outputs, subgraph),
    )


def _main_specs(
    main: flatbuffer.Subgraph, indices: Sequence[int]
) -> tuple[facts.TensorSpec, ...]:
    return _specs([(main.tensors[i].name, i) for i in indices], main)


def _specs(
    named: Sequence[tuple[str, int]], subgraph: flatbuffer.Subgraph
) -> tuple[facts.TensorSpec, ...]:
    return tuple(_spec(name, subgraph.tensors[i]) for name, i in named)


def _spec(name: str, tensor: flatbuffer.Tensor) -> facts.TensorSpec:
    scale = tensor.scale
    zero_point = tensor.zero_point
    if len(zero_point) in (0, 1):
        # An absent zero point is 0; one value stands for all channels.
        value = zero_point[0] if len(zero_point) else 0
        zero_point = np.full(len(scale), value, "int64")
    if len(zero_point) != len(scale) or not np.isfinite(scale).all():
        raise errors.ModelError(
            "Inputs and outputs must have finite scales and as many zero "
            f"points. Received: tensor={name!r}. Make the model again."
        )
    return facts.TensorSpec(
        name=name,
        shape=operations.stored_shape(tensor),
        dtype=tensor.dtype,
        scale=tuple(scale.tolist()),
        zero_point=tuple(zero_point.tolist()),
    )
