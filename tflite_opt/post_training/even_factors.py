# SPDX-License-Identifier: Apache-2.0
"""Channels that are multiplied by constants of one magnitude.

Normalization behind an activation stays a multiplication by a constant for
each channel. In int8 these have one scale together, and a channel that is
hardly ever above 0 has a factor that makes all others vanish. Here the factors
move into the layer that reads the channels, whose weights have other scales.
The function stays the same.
"""

import dataclasses

import numpy as np

from tflite_opt.post_training import layers
from tflite_opt.tflite import constants, flatbuffer, schema_layout

_MAX_FACTOR = 64.0
# Between the constants and the layer; they act on each channel alone.
_TRANSPARENT = frozenset({"PAD", "MEAN", "AVERAGE_POOL_2D"})
_NO_ACTIVATION = 0


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class _Chain:
    """Constants that scale and shift channels, and who reads the result."""

    factors: int
    shift: int
    reader: layers.Layer


def even(model: flatbuffer.Model) -> dict[int, np.ndarray]:
    """Returns constants with which the factors of each tensor are alike.

    Args:
        model: A float `.tflite`.

    Returns:
        By tensor; empty if no layer reads what is multiplied so.
    """
    graph = model.subgraphs[0]
    changed: dict[int, np.ndarray] = {}
    for chain in _chains(model):
        factors = constants.read(model, graph.tensors[chain.factors])
        magnitudes = np.abs(factors.astype(np.float64)).reshape(-1)
        if not magnitudes.any():
            continue
        typical = np.median(magnitudes[magnitudes > 0])
        ratio = np.clip(magnitudes / typical, 1 / _MAX_FACTOR, _MAX_FACTOR)
        changed[chain.factors] = _times(factors, 1 / ratio)
        if chain.shift != -1:
            shift = constants.read(model, graph.tensors[chain.shift])
            changed[chain.shift] = _times(shift, 1 / ratio)
        weights = constants.read(model, graph.tensors[chain.reader.weights])
        changed[chain.reader.weights] = _times(
            weights, np.repeat(ratio, weights.shape[-1] // len(ratio))
        )
    return changed


def _times(values: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Returns values times factors of their last dimension."""
    return (values * factors).astype(values.dtype)


def _chains(model: flatbuffer.Model) -> list[_Chain]:
    graph = model.subgraphs[0]
    readers: dict[int, list[int]] = {}
    for position, operator in enumerate(graph.operators):
        for tensor in operator.inputs:
            readers.setdefault(tensor, []).append(position)
    by_position = {layer.position: layer for layer in layers.find(model)}
    found = []
    for operator in graph.operators:
        factors = _channel_constant(model, operator, "MUL")
        if factors == -1:
            continue
        tensor, shift = operator.outputs[0], -1
        while tensor not in graph.outputs and len(readers[tensor]) == 1:
            position = readers[tensor][0]
            following = graph.operators[position]
            reader = by_position.get(position)
            if reader is not None:
                if _fits(model, reader, factors):
                    found.append(
                        _Chain(factors=factors, shift=shift, reader=reader)
                    )
                break
            added = _channel_constant(model, following, "ADD")
            if added != -1 and shift == -1:
                shift = added
            elif following.name not in _TRANSPARENT:
                break
            tensor = following.outputs[0]
    return found


def _channel_constant(
    model: flatbuffer.Model, operator: flatbuffer.Operator, name: str
) -> int:
    """Returns the operand with a constant for each channel; -1 without."""
    if operator.name != name:
        return -1
    graph = model.subgraphs[0]
    if operator.options is not None:
        table = f"{name.capitalize()}Options"
        field = schema_layout.slot(table, "FusedActivationFunction")
        if operator.options.scalar(field, "int8", 0) != _NO_ACTIVATION:
            return -1
    channels = graph.tensors[operator.outputs[0]].shape[-1]
    for index in operator.inputs:
        if (
            constants.is_replaceable(model, index)
            and graph.tensors[index].dtype == "float32"
            and graph.tensors[index].shape[-1:] == (channels,)
            and np.prod(graph.tensors[index].shape) == channels
        ):
            return index
    return -1


def _fits(model: flatbuffer.Model, reader: layers.Layer, factors: int) -> bool:
    """Whether a layer's weights have the channels in their last dimension."""
    channels = model.subgraphs[0].tensors[factors].shape[-1]
    if not constants.is_replaceable(model, reader.weights):
        return False
    if reader.kind == "DEPTHWISE_CONV_2D":
        return reader.shape[-1] % channels == 0
    return reader.shape[-1] == channels
