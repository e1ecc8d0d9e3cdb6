# SPDX-License-Identifier: Apache-2.0
"""Gives the layers of a quantized model biases and weights, one by one.

Layers are visited in execution order, each with the inputs that the layers
before it, already changed, really give it. Only constants change, so size and
speed stay the same.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping

import numpy as np

from tflite_opt.post_training import layers, operation_runner, real_values
from tflite_opt.tflite import constants, flatbuffer

_LIMITS = {"int8": 127, "int4": 7}
# Enough for a covariance, by the number of its inputs and at all.
_PATCHES_PER_INPUT = 64
_MIN_PATCHES, _MAX_PATCHES = 1 << 12, 1 << 15
_NUMBERS_AT_ONCE = 1 << 22


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """What is known of one layer when its weights are to be chosen.

    Attributes:
        layer: Of the quantized model.
        weights: Of the float model, shape (g, k, o).
        bias: Likewise, shape (g, 1, o).
        scale: Of each channel, shape (g, 1, o).
        given: Real values of the quantized inputs, shape (n, ...).
        exact: The float inputs.
        limit: Largest magnitude of a stored weight.
    """

    layer: layers.Layer
    weights: np.ndarray
    bias: np.ndarray
    scale: np.ndarray
    given: np.ndarray
    exact: np.ndarray
    limit: int

    @functools.cached_property
    def covariances(self) -> tuple[np.ndarray, np.ndarray]:
        """Those of `covariances`: of `given`, and of it with `exact`."""
        return covariances(self.layer, self.given, self.exact)


# Returns integers, shape (g, k, o).
Solve = Callable[[Problem], np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reconstructed:
    """What became of the layers.

    Attributes:
        num_layers: That have quantized weights.
        biases: Layers that were given another bias.
        weights: Layers that were given other weights.
    """

    num_layers: int
    biases: int
    weights: int


def reconstruct(
    parent: pathlib.Path,
    source: pathlib.Path,
    destination: pathlib.Path,
    inputs: Mapping[str, np.ndarray],
    solve: Solve | None = None,
) -> Reconstructed:
    """Writes a copy of a quantized model with other constants.

    The bias of each layer becomes what makes the mean of each channel, before
    the activation function, that of the float model.

    Args:
        parent: The float model.
        source: What a quantizer made of it.
        destination: Written whole or not at all.
        inputs: By name, shape (n, ...).
        solve: Chooses weights; None keeps them.

    Raises:
        ModelError: If the files are not of the same layers, or cannot be run
            operation after operation.
        DataError: If the inputs do not fit.
    """
    some = operation_runner.affordable(parent, inputs)
    before = operation_runner.OperationRunner(parent, some)
    after = operation_runner.OperationRunner(source, some)
    changed: dict[int, np.ndarray] = {}
    num_layers = num_weights = 0
    for old, new in layers.pair(before.model, after.model):
        weights = after.graph.tensors[new.weights]
        if weights.dtype not in _LIMITS:
            continue
        num_layers += 1
        if new.bias == -1 or not constants.is_replaceable(
            after.model, new.bias
        ):
            continue
        before.run_before(old.position)
        after.run_before(new.position)
        stored = _rewrite(before, old, after, new, solve)
        for tensor, values in stored.items():
            after.replace(tensor, values)
        changed |= stored
        num_weights += new.weights in stored
    constants.replace(source, destination, changed)
    return Reconstructed(
        num_layers=num_layers,
        biases=len(changed) - num_weights,
        weights=num_weights,
    )


def _rewrite(
    before: operation_runner.OperationRunner,
    old: layers.Layer,
    after: operation_runner.OperationRunner,
    new: layers.Layer,
    solve: Solve | None,
) -> dict[int, np.ndarray]:
    tensor = after.graph.tensors[new.weights]
    exact = real_values.dequantize(
        before.value(old.source), before.graph.tensors[old.source]
    )
    given = real_values.dequantize(
        after.value(new.source), after.graph.tensors[new.source]
    )
    groups = old.groups_for(exact)
    weights = old.to_matrices(_constant(before.model, old.weights), groups)
    bias = (
        np.zeros(weights.shape[0] * weights.shape[2])
        if old.bias == -1
        else _constant(before.model, old.bias)
    )
    found: dict[int, np.ndarray] = {}
    stored = constants.read(after.model, tensor)
    if solve is not None and constants.is_replaceable(after.model, new.weights):
        scale = np.broadcast_to(tensor.scale, new.shape[new.channel_axis])
        chosen = solve(
            Problem(
                layer=new,
                weights=weights,
                bias=bias.reshape(groups, 1, -1),
                scale=scale.reshape(groups, 1, -1).astype(np.float64),
                given=given,
                exact=exact,
                limit=_LIMITS[tensor.dtype],
            )
        )
        stored = new.from_matrices(chosen).astype(np.int8)
        found[new.weights] = stored
    rounded = new.to_matrices(real_values.dequantize(stored, tensor), groups)
    shift = _mean_outputs(old.mean_patch(exact), weights)
    shift -= _mean_outputs(new.mean_patch(given), rounded)
    found[new.bias] = _stored_bias(after, new, bias + shift)
    return found


def _constant(model: flatbuffer.Model, tensor: int) -> np.ndarray:
    return constants.read(model, model.subgraphs[0].tensors[tensor])


def _mean_outputs(mean_patch: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Returns the mean of each channel, shape (channels,)."""
    return np.einsum("gk,gko->go", mean_patch, matrices).reshape(-1)


def _stored_bias(
    runner: operation_runner.OperationRunner,
    layer: layers.Layer,
    bias: np.ndarray,
) -> np.ndarray:
    tensor = runner.graph.tensors[layer.bias]
    dtype = np.dtype(tensor.dtype)
    if dtype.kind == "f":
        return bias.astype(dtype)
    limits = np.iinfo(dtype)
    # The product of the input's scale and the weights', one per channel.
    levels = np.rint(bias / tensor.scale.astype(np.float64))
    return np.clip(levels, limits.min, limits.max).astype(dtype)


def covariances(
    layer: layers.Layer, given: np.ndarray, exact: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns covariances of a layer's patches, each of shape (g, k, k).

    Args:
        layer: Whose inputs they are.
        given: Real values of the quantized inputs, shape (n, ...).
        exact: The float inputs.

    Returns:
        Of `given` with itself, and of `given` with `exact`. Of many patches a
        fixed choice is looked at.
    """
    given_mean, exact_mean = (
        layer.mean_patch(inputs)[:, np.newaxis].astype(np.float32)
        for inputs in (given, exact)
    )
    groups, _, size = given_mean.shape
    count = np.clip(_PATCHES_PER_INPUT * size, _MIN_PATCHES, _MAX_PATCHES)
    order = np.random.default_rng(0).permutation(layer.num_patches(given))
    chosen = order[:count]
    sums = np.zeros((2, groups, size, size))
    step = max(1, _NUMBERS_AT_ONCE // (groups * size))
    for begin in range(0, len(chosen), step):
        some = chosen[begin : begin + step]
        left = layer.patches(given, some) - given_mean
        right = layer.patches(exact, some) - exact_mean
        for total, other in zip(sums, (left, right), strict=True):
            total += left.swapaxes(1, 2) @ other
    moments, cross_moments = sums / len(chosen)
    return moments, cross_moments
