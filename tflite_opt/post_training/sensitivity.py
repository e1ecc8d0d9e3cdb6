# SPDX-License-Identifier: Apache-2.0
"""Scans a float model for the places where integers cost most.

One tensor at a time is rounded, and the rest runs in float to the end, so
that a scan takes about one inference for each operation and example. Weights
and activations are scored apart: with a layer's weights in float but what it
reads and gives in int8, most of the loss stays. Constants of an element-wise
operation have one scale together, so that a single large one may cost all.
"""

import math
import pathlib
import time
from collections.abc import Mapping, Sequence

import numpy as np

from tflite_opt.post_training import (
    clipping,
    divergence,
    layers,
    operation_runner,
)
from tflite_opt.records import facts as facts_record
from tflite_opt.records import sensitivity
from tflite_opt.tflite import constants, layer_names
from tflite_opt.tflite import facts as facts_reader

_MIN_EXAMPLES, _MAX_EXAMPLES = 8, 50
# Of all examples and operations together: some ten seconds.
_MAX_MACS = 1e11
# Largest magnitudes of weights.
_INT8, _INT4 = 127, 7
# Of what a quantizer gives one scale for each constant tensor.
_ELEMENTWISE = frozenset({"ADD", "SUB", "MUL", "DIV"})
# Their outputs have the values, and so the scale, of their input.
_SAME_SCALE = frozenset(
    {
        "PAD",
        "RESHAPE",
        "SQUEEZE",
        "EXPAND_DIMS",
        "TRANSPOSE",
        "SLICE",
        "STRIDED_SLICE",
        "SPLIT",
        "MAX_POOL_2D",
    }
)


def scan(
    model: pathlib.Path,
    inputs: Mapping[str, np.ndarray],
    keras_layers: Sequence[str] = (),
) -> sensitivity.Sensitivity:
    """Returns what each operation of a float model costs in integers.

    Args:
        model: A float `.tflite`.
        inputs: Calibration data by name, shape (n, ...); the first 8 to 50
            are looked at, fewer for a larger model.
        keras_layers: Paths of all layers of the Keras model, in its order.

    Raises:
        ModelError: If it is quantized, or cannot be run operation after
            operation.
        DataError: If the inputs do not fit.
    """
    started = time.perf_counter()
    facts = facts_reader.read_facts(model, delegation=False)
    inferences = _MAX_MACS / max(facts.known_macs, 1) / len(facts.operators)
    count = min(max(int(inferences), _MIN_EXAMPLES), _MAX_EXAMPLES)
    some = operation_runner.affordable(
        model, {name: array[:count] for name, array in inputs.items()}
    )
    probe = _Probe(model, some)
    names = {t.index: t.name for t in facts.tensors if not t.subgraph}
    found = layer_names.layers_of_operations(model, facts, keras_layers)
    input_cost = probe.input_cost()
    graph = _Graph(facts.operators)
    operations = []
    for operator in facts.operators:
        position = operator.index
        weight_cost, int4_cost = probe.weight_costs(position)
        operations.append(
            sensitivity.OperationSensitivity(
                position=position,
                operation=operator.name,
                output=names[operator.outputs[0]],
                layers=found[0, position],
                parameters=operator.parameters or probe.num_constants(position),
                macs=operator.macs,
                activation_cost=probe.activation_cost(position),
                weight_cost=weight_cost,
                int4_cost=int4_cost,
                readers=graph.readers(operator.outputs),
            )
        )
    return sensitivity.Sensitivity(
        sha256=facts.sha256,
        num_examples=probe.num_examples,
        seconds=time.perf_counter() - started,
        input_cost=input_cost,
        operations=tuple(operations),
        input_readers=graph.readers(probe.inputs),
    )


class _Graph:
    """Who reads a tensor."""

    def __init__(self, operators: Sequence[facts_record.OperatorFacts]) -> None:
        self._readers: dict[int, list[facts_record.OperatorFacts]] = {}
        for operator in operators:
            for tensor in operator.inputs:
                self._readers.setdefault(tensor, []).append(operator)

    def readers(self, tensors: Sequence[int]) -> tuple[int, ...]:
        """Returns positions, also behind what keeps the scale."""
        found: set[int] = set()
        for tensor in tensors:
            for operator in self._readers.get(tensor, ()):
                found.add(operator.index)
                if operator.name in _SAME_SCALE:
                    found.update(self.readers(operator.outputs))
        return tuple(sorted(found))


class _Probe:
    """A float model that runs on with rounded values; goes forward only."""

    def __init__(
        self, model: pathlib.Path, inputs: Mapping[str, np.ndarray]
    ) -> None:
        self._runner = operation_runner.OperationRunner(model, inputs)
        layers.require_float(self._runner.model)
        self.num_examples = self._runner.num_examples
        self._expected = divergence.outputs(model, inputs)
        self._layers = {x.position: x for x in layers.find(self._runner.model)}
        self._watched = divergence.watched(self._runner.graph)

    @property
    def inputs(self) -> tuple[int, ...]:
        """Tensors."""
        return self._runner.graph.inputs

    def num_constants(self, position: int) -> int:
        """Returns the number of an element-wise operation's constants."""
        tensors = self._runner.graph.tensors
        return sum(
            math.prod(tensors[x].shape) for x in self._constants(position)
        )

    def input_cost(self) -> float:
        """Returns the cost of all inputs in int8."""
        return self._cost(self._runner.graph.inputs)

    def weight_costs(self, position: int) -> tuple[float | None, float | None]:
        """Returns the costs of an operation's weights in int8 and in int4.

        None of them where there are none; int8 only for constants.
        """
        layer = self._layers.get(position)
        if layer is None:
            return self._constant_cost(position), None
        runner = self._runner
        runner.run_before(position)
        source = {layer.source: runner.value(layer.source)}
        exact = constants.read(
            runner.model, runner.graph.tensors[layer.weights]
        )
        outputs = []
        for limit in (_INT8, _INT4):
            rounded = _rounded(exact, layer.channel_axis, limit)
            runner.replace(layer.weights, rounded)
            self._correct_bias(layer, rounded - exact)
            outputs.append(runner.outputs_for(position, source))
            runner.restore(layer.weights)
            runner.restore(layer.bias)
        runner.run_before(position + 1)
        in_int8, in_int4 = map(self._divergence, outputs)
        return in_int8, in_int4

    def _constants(self, position: int) -> list[int]:
        """Returns an element-wise operation's float constants."""
        runner = self._runner
        operator = runner.graph.operators[position]
        if operator.name not in _ELEMENTWISE or operator.is_custom:
            return []
        return [
            tensor
            for tensor in operator.inputs
            if runner.model.is_constant(runner.graph.tensors[tensor])
            and runner.graph.tensors[tensor].dtype == "float32"
        ]

    def _constant_cost(self, position: int) -> float | None:
        runner = self._runner
        found = self._constants(position)
        if not found:
            return None
        runner.run_before(position)
        operator = runner.graph.operators[position]
        given = {x: runner.value(x) for x in operator.inputs if runner.has(x)}
        for tensor in found:
            exact = constants.read(runner.model, runner.graph.tensors[tensor])
            rounded = _in_int8(exact)
            if operator.name == "DIV":
                # Without kernels for it, nobody knows what that would give.
                rounded = np.where(rounded == 0, exact, rounded)
            runner.replace(tensor, rounded)
        outputs = runner.outputs_for(position, given)
        for tensor in found:
            runner.restore(tensor)
        runner.run_before(position + 1)
        return self._divergence(outputs)

    def activation_cost(self, position: int) -> float:
        """Returns the cost of an operation's outputs in int8."""
        self._runner.run_before(position + 1)
        operator = self._runner.graph.operators[position]
        if operator.name in _SAME_SCALE:
            return 0.0
        return self._cost(operator.outputs)

    def _cost(self, tensors: Sequence[int]) -> float:
        runner = self._runner
        changed = {
            tensor: _in_int8(runner.value(tensor))
            for tensor in tensors
            if runner.has(tensor)
            and runner.graph.tensors[tensor].dtype == "float32"
        }
        return self._divergence(changed) if changed else 0.0

    def _divergence(self, changed: Mapping[int, np.ndarray]) -> float:
        """Returns that of the outputs if the model goes on like this."""
        places = self._watched.values()
        ends = [end for end, _ in places if self._runner.position <= end]
        if not ends:
            return 0.0
        left = [tensor for end, tensor in places if end in ends]
        values = self._runner.outputs_after(max(ends), changed, left)
        found = [
            divergence.Output(
                values=values[tensor].astype(np.float32),
                is_logits=expected.is_logits,
            )
            if tensor in values
            # What was known before cannot change any more.
            else expected
            for (_, tensor), expected in zip(
                places, self._expected, strict=True
            )
        ]
        return divergence.compare(self._expected, found)[0].divergence

    def _correct_bias(self, layer: layers.Layer, error: np.ndarray) -> None:
        """Takes the shift that an error of weights causes off the bias."""
        if layer.bias == -1:
            return
        runner = self._runner
        source = runner.value(layer.source)
        shift = np.einsum(
            "gk,gko->go",
            layer.mean_patch(source),
            layer.to_matrices(error, layer.groups_for(source)),
        )
        bias = constants.read(runner.model, runner.graph.tensors[layer.bias])
        runner.replace(layer.bias, bias - shift.reshape(-1))


def _rounded(weights: np.ndarray, channel_axis: int, limit: int) -> np.ndarray:
    """Returns weights on the levels that a quantizer would give them."""
    channels = np.moveaxis(weights, channel_axis, 0)
    flat = channels.reshape(len(channels), -1)
    if limit == _INT8:
        largest = np.abs(flat).max(axis=1)
    else:
        # Few levels are better spent on what is frequent.
        largest = np.array([clipping.octav_magnitude(x, 4) for x in flat])
    scale = np.where(largest > 0, largest, 1.0)[:, np.newaxis] / limit
    rounded = np.clip(np.rint(flat / scale), -limit, limit) * scale
    return np.moveaxis(rounded.reshape(channels.shape), 0, channel_axis).astype(
        weights.dtype
    )


def _in_int8(values: np.ndarray) -> np.ndarray:
    """Returns values on the 256 levels of their true range."""
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    scale = (high - low) / 255
    if not scale:
        return values
    zero = np.rint(-low / scale)
    levels = np.clip(np.rint(values / scale) + zero, 0, 255)
    return ((levels - zero) * scale).astype(values.dtype)
