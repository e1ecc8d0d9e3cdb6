# SPDX-License-Identifier: Apache-2.0
"""From a float model to one that is ready for quantization-aware training."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflite_opt.data import representative
from tflite_opt.keras_models import (
    freezing,
    layer_support,
    layer_weights,
)
from tflite_opt.keras_models.quantization import plan, preservation, quantize
from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.keras_models.rewriting import rewrite
from tflite_opt.records import compression, errors, examples

_COMPARED_EXAMPLES = 8
# Of the largest output. Rules add in another order; a wrong one is off by
# much more.
_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Made:
    """A quantization-aware model before its training.

    Attributes:
        model: A functional `tf_keras` model, not compiled.
        callbacks: Its training needs them.
        promises: Weights that will be 8 bits wide in the `.tflite`.
        carried: Earlier promises as they read for it.
        notes: One sentence each, for the report.
    """

    model: Any
    callbacks: tuple[Any, ...]
    promises: tuple[compression.Promise, ...]
    carried: tuple[compression.Promise, ...]
    notes: tuple[str, ...]


def make(
    model: Any,
    inputs: Mapping[str, examples.Examples],
    promises: Sequence[compression.Promise] = (),
    preserve: Sequence[compression.Property] = (),
) -> Made:
    """Returns the quantization-aware model of a trained one.

    Args:
        model: A functional or Sequential `tf_keras` model; used up.
        inputs: Real examples, which the ranges of activations come from.
        promises: Of earlier techniques.
        preserve: What training must keep of them.

    Raises:
        ModelError: If TFLite has no integer kernels for a layer, or converts
            it only without ranges.
        VerificationError: If the rewritten model computes something else.
    """
    matched = {
        name: np.asarray(x[:])
        for name, x in representative.match_inputs(
            inputs, freezing.input_specs(model)
        ).items()
    }
    few = {name: x[:_COMPARED_EXAMPLES] for name, x in matched.items()}
    expected = list(freezing.predict(model, few).values())
    originals = _weights(model, promises)
    graph = rewrite.for_quantization(model)
    plan.require_integer_kernels(graph)
    kept = (
        preservation.remember(graph, originals, promises, preserve)
        if preserve
        else []
    )
    flat, _ = graph_lib.build(graph)
    _require_same(expected, list(freezing.predict(flat, few).values()))
    ranges = quantize.observe_ranges(graph, matched)
    aware = quantize.quantize(graph, ranges)
    rounded = tuple(
        compression.Promise(layer=call.layer.name, weight=name, is_int8=True)
        for call in graph.calls
        for name in plan.weights(call)
    )
    return Made(
        model=aware,
        callbacks=(preservation.keeper(aware, kept),) if kept else (),
        promises=rounded,
        carried=preservation.carried(graph, promises),
        notes=_notes(graph, len(ranges)),
    )


def _weights(
    model: Any, promises: Sequence[compression.Promise]
) -> dict[tuple[str, str], np.ndarray]:
    layers = dict(layer_support.walk(model))
    return {
        (p.layer, p.weight): layer_weights.weight_of(layers, p)
        for p in promises
    }


def _require_same(
    expected: Sequence[np.ndarray], found: Sequence[np.ndarray]
) -> None:
    for wanted, output in zip(expected, found, strict=True):
        largest = float(np.abs(wanted).max(initial=1e-30))
        difference = float(np.abs(wanted - output).max(initial=0)) / largest
        if difference > _TOLERANCE:
            raise errors.VerificationError(
                "The model rewritten for quantization must compute the same. "
                f"Received: outputs that differ by {difference:.2g} of the "
                "largest."
            )


def _notes(graph: graph_lib.Graph, num_ranges: int) -> tuple[str, ...]:
    after = sorted(
        {
            call.kind
            for call in graph.calls
            if not plan.weights(call)
            and call.kind != "QuantizeLayer"
            and call.get_weights()
        }
    )
    notes = [f"{num_ranges} ranges of activations set from real examples."]
    if after:
        notes.append(
            f"Weights of {', '.join(after)} are quantized after training."
        )
    return tuple(notes)
