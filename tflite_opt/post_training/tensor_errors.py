# SPDX-License-Identifier: Apache-2.0
"""How far each tensor of a quantized model is from its float parent.

Both are run operation after operation on the same examples. An operation is
judged twice: with the inputs that it really gets, and with the float model's
own inputs, which tells who makes an error from who passes it on.
"""

import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tflite_opt.post_training import (
    acceptance,
    layers,
    operation_runner,
    real_values,
)
from tflite_opt.records import tensor_errors
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import flatbuffer, layer_names

# Means and powers of more examples are the same; fewer where a model is large,
# since kernels of int16 are slow.
_MIN_EXAMPLES, _MAX_EXAMPLES = 8, 50
_MAX_MACS = 5e9
# What a quantizer adds between operations.
_ADDED = frozenset({"QUANTIZE", "DEQUANTIZE"})


def compute(
    parent: pathlib.Path,
    model: pathlib.Path,
    inputs: Mapping[str, np.ndarray],
    keras_layers: Sequence[str] = (),
) -> tensor_errors.TensorErrors:
    """Compares all tensors that both models have.

    Args:
        parent: The float `.tflite`.
        model: What was made of it.
        inputs: By name, shape (n, ...); the first 8 to 50 are looked at,
            fewer for a larger model.
        keras_layers: Paths of all layers of the Keras model, in its order.

    Raises:
        ModelError: If the parent is quantized, they are not of the same
            layers, or cannot be run operation after operation.
        DataError: If the inputs do not fit.
    """
    facts = facts_reader.read_facts(parent, delegation=False)
    count = int(_MAX_MACS / max(facts.known_macs, 1))
    count = min(max(count, _MIN_EXAMPLES), _MAX_EXAMPLES)
    some = operation_runner.affordable(
        parent, {name: array[:count] for name, array in inputs.items()}
    )
    before = operation_runner.OperationRunner(parent, some)
    layers.require_float(before.model)
    comparison = _Comparison(
        before, operation_runner.OperationRunner(model, some)
    )
    tensors = tuple(
        comparison.all(
            {t.index: t.name for t in facts.tensors if not t.subgraph},
            layer_names.layers_of_operations(parent, facts, keras_layers),
        )
    )
    distance = acceptance.distance(parent, model, some)
    return tensor_errors.TensorErrors(
        parent_sha256=facts.sha256,
        sha256=facts_reader.read_facts(model, delegation=False).sha256,
        num_examples=before.num_examples,
        divergence=distance.divergence,
        agreement=distance.agreement,
        tied_fraction=distance.tied_fraction,
        tensors=tensors,
    )


class _Comparison:
    """Two runners, of a float model and of what was made of it."""

    def __init__(
        self,
        before: operation_runner.OperationRunner,
        after: operation_runner.OperationRunner,
    ) -> None:
        self._before, self._after = before, after

    def all(
        self,
        names: Mapping[int, str],
        keras_layers: Mapping[tuple[int, int], tuple[str, ...]],
    ) -> Iterator[tensor_errors.TensorError]:
        """Yields what is found, in execution order."""
        for old, new in zip(
            self._before.graph.inputs, self._after.graph.inputs, strict=True
        ):
            exact, given = self._before.value(old), self._quantized(new)
            yield _error(
                exact,
                self._after.value(given),
                self._after.graph.tensors[given],
                name=names[old],
                layers=(),
                operation="INPUT",
                position=-1,
                own_snr_db=None,
            )
        for old, new in _pairs(self._before.model, self._after.model):
            operator = self._before.graph.operators[old]
            self._before.run_before(old)
            self._after.run_before(new)
            own = self._own_outputs(old, new)
            self._before.run_before(old + 1)
            self._after.run_before(new + 1)
            for tensor, other in zip(
                operator.outputs,
                self._after.graph.operators[new].outputs,
                strict=True,
            ):
                if not self._before.has(tensor) or not self._after.has(other):
                    continue
                exact = self._before.value(tensor)
                stored = self._after.graph.tensors[other]
                noise = real_values.dequantize(own[other], stored) - exact
                yield _error(
                    exact,
                    self._after.value(other),
                    stored,
                    name=names[tensor],
                    layers=keras_layers[0, old],
                    operation=operator.name,
                    position=old,
                    own_snr_db=_decibels(_power(exact), _power(noise)),
                )

    def _quantized(self, tensor: int) -> int:
        """Returns the integer form of an input, if there is one."""
        for position, operator in enumerate(self._after.graph.operators):
            if operator.name == "QUANTIZE" and tensor in operator.inputs:
                self._after.run_before(position + 1)
                return operator.outputs[0]
        return tensor

    def _own_outputs(self, old: int, new: int) -> dict[int, np.ndarray]:
        """Returns what an operation makes of the float model's inputs."""
        given = {}
        for tensor, other in zip(
            self._before.graph.operators[old].inputs,
            self._after.graph.operators[new].inputs,
            strict=False,
        ):
            if not self._after.has(other):
                continue
            given[other] = (
                real_values.quantize(
                    self._before.value(tensor),
                    self._after.graph.tensors[other],
                )
                if self._before.has(tensor)
                # A weight that the quantized model unpacks first.
                else self._after.value(other)
            )
        return self._after.outputs_for(new, given)


def _pairs(
    parent: flatbuffer.Model, model: flatbuffer.Model
) -> list[tuple[int, int]]:
    """Returns positions of the same operation in both models.

    Raises:
        ModelError: If not even their layers are the same.
    """
    before, after = (
        [
            (position, operator.name)
            for position, operator in enumerate(x.subgraphs[0].operators)
            if operator.name not in _ADDED
        ]
        for x in (parent, model)
    )
    if [name for _, name in before] == [name for _, name in after]:
        return [
            (old, new) for (old, _), (new, _) in zip(before, after, strict=True)
        ]
    return [(x.position, y.position) for x, y in layers.pair(parent, model)]


def _error(
    exact: np.ndarray,
    stored: np.ndarray,
    tensor: flatbuffer.Tensor,
    *,
    name: str,
    layers: tuple[str, ...],
    operation: str,
    position: int,
    own_snr_db: float | None,
) -> tensor_errors.TensorError:
    exact = exact.astype(np.float64)
    given = real_values.dequantize(stored, tensor).astype(np.float64)
    noise = given - exact
    signal, power = _power(exact), _power(noise)
    scale = np.sqrt(signal * _power(given))
    clipped, unused = _levels(exact, stored, tensor)
    return tensor_errors.TensorError(
        name=name,
        layers=layers,
        operation=operation,
        position=position,
        dtype=tensor.dtype,
        snr_db=_decibels(signal, power),
        own_snr_db=own_snr_db,
        cosine=float((exact * given).sum() / scale) if scale else None,
        shift_fraction=_shift(noise) / power if power else None,
        clipped_fraction=clipped,
        unused_range_fraction=unused,
        channel_spread=_channel_spread(exact),
    )


def _power(values: np.ndarray) -> float:
    return float(np.square(values, dtype=np.float64).sum())


def _decibels(signal: float, noise: float) -> float | None:
    return 10 * float(np.log10(signal / noise)) if signal and noise else None


def _shift(noise: np.ndarray) -> float:
    """Returns the power of what is constant in each channel."""
    channels = noise.reshape(-1, noise.shape[-1])
    return float(np.square(channels.mean(axis=0)).sum() * len(channels))


def _levels(
    exact: np.ndarray, stored: np.ndarray, tensor: flatbuffer.Tensor
) -> tuple[float | None, float | None]:
    """Returns the clipped share of values and the unused one of levels."""
    if len(tensor.scale) != 1 or stored.dtype.kind not in "iu":
        return None, None
    limits = np.iinfo(stored.dtype)
    ends = np.array([limits.min, limits.max], stored.dtype)
    low, high = real_values.dequantize(ends, tensor)
    margin = tensor.scale[0] / 2
    clipped = (exact < low - margin) | (exact > high + margin)
    used = int(stored.max()) - int(stored.min())
    return float(clipped.mean()), 1 - used / (limits.max - limits.min)


def _channel_spread(values: np.ndarray) -> float | None:
    if values.ndim < 3 or values.shape[-1] < 2:
        return None
    largest = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
    median = float(np.median(largest))
    return float(largest.max()) / median if median else None
