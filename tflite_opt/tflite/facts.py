# SPDX-License-Identifier: Apache-2.0
"""Reads what a `.tflite` says about itself into `ModelFacts`.

Never runs the model in this process: delegation is probed in a child.
"""

import math
import pathlib
from collections.abc import Sequence

import numpy as np

from tflite_opt.records import errors, facts, files
from tflite_opt.tflite import flatbuffer, operands, probe

_MIN_RUNTIME_VERSION = "min_runtime_version"


def read_facts(
    path: pathlib.Path, *, delegation: bool = True
) -> facts.ModelFacts:
    """Reads the facts of one `.tflite` file.

    Args:
        path: The file.
        delegation: Whether to prepare the file in a child process, with and
            without XNNPACK. A file that cannot be prepared is no error here;
            the reasons are in `ModelFacts.delegation`.

    Raises:
        ModelError: If it is missing, unreadable, or not a valid `.tflite`.
    """
    model = flatbuffer.read(path)
    main = model.subgraphs[0]
    operators, tensors = [], []
    for index, subgraph in enumerate(model.subgraphs):
        found, roles = _operators(model, index, subgraph)
        operators += found
        tensors += _tensors(model, index, subgraph, roles)
    return facts.ModelFacts(
        sha256=files.sha256_of_file(path),
        size_bytes=len(model.content),
        gzip_bytes=_gzip_bytes(path),
        description=model.description,
        min_runtime_version=_min_runtime_version(model),
        metadata_names=tuple(name for name, _ in model.metadata),
        num_subgraphs=len(model.subgraphs),
        signatures=tuple(_signature(model, s) for s in model.signatures),
        inputs=_specs([(main.tensors[i].name, i) for i in main.inputs], main),
        outputs=_specs([(main.tensors[i].name, i) for i in main.outputs], main),
        operators=tuple(operators),
        tensors=tuple(tensors),
        bytes_by_dtype=_bytes_by_dtype(model),
        delegation=probe.probe(path) if delegation else None,
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


def _operators(
    model: flatbuffer.Model, index: int, subgraph: flatbuffer.Subgraph
) -> tuple[list[facts.OperatorFacts], dict[int, facts.TensorRole]]:
    """Returns the operators, and the roles of their constant operands."""
    tracer = operands.ConstantTracer(model, subgraph)
    weights: set[int] = set()
    biases: set[int] = set()
    found = []
    for position, operator in enumerate(subgraph.operators):
        own_weights = tracer.weights(operator)
        weights.update(own_weights)
        biases.update(tracer.biases(operator))
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
            )
        )
    roles: dict[int, facts.TensorRole] = dict.fromkeys(biases, "bias")
    roles |= dict.fromkeys(weights, "weight")
    return found, roles


def _tensors(
    model: flatbuffer.Model,
    index: int,
    subgraph: flatbuffer.Subgraph,
    roles: dict[int, facts.TensorRole],
) -> list[facts.TensorFacts]:
    found = []
    inputs, outputs = set(subgraph.inputs), set(subgraph.outputs)
    for position, tensor in enumerate(subgraph.tensors):
        role = roles.get(position)
        if role is None and position in inputs:
            role = "input"
        elif role is None and position in outputs:
            role = "output"
        elif role is None:
            constant = model.is_constant(tensor)
            role = "constant" if constant else "activation"
        shape = _shape(tensor)
        found.append(
            facts.TensorFacts(
                subgraph=index,
                index=position,
                name=tensor.name,
                shape=shape,
                dtype=tensor.dtype,
                role=role,
                num_elements=0 if -1 in shape else math.prod(shape),
                constant_bytes=model.buffers[tensor.buffer][1],
                scales=_num_scales(tensor, subgraph),
            )
        )
    return found


def _shape(tensor: flatbuffer.Tensor) -> tuple[int, ...]:
    return tensor.shape_signature or tensor.shape


def _num_scales(
    tensor: flatbuffer.Tensor, subgraph: flatbuffer.Subgraph
) -> int:
    if tensor.scales_tensor != -1:
        return math.prod(subgraph.tensors[tensor.scales_tensor].shape)
    return len(tensor.scale)


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
        shape=_shape(tensor),
        dtype=tensor.dtype,
        scale=tuple(scale.tolist()),
        zero_point=tuple(zero_point.tolist()),
    )
