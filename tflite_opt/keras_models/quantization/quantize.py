# SPDX-License-Identifier: Apache-2.0
"""Makes the quantization-aware model of a graph, with ranges from real data."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tflite_opt.keras_models.quantization import objects, plan
from tflite_opt.keras_models.rewriting import graph as graph_lib

_BATCH_SIZE = 16
Ranges = Mapping[graph_lib.Value, tuple[float, float]]


def observe_ranges(
    graph: graph_lib.Graph, inputs: Mapping[str, np.ndarray]
) -> Ranges:
    """Returns the smallest and largest element of the tensors to be rounded.

    Args:
        graph: Of the float model; its layers get built.
        inputs: Real examples by the names of the graph's inputs, shape
            `(n, ...)`.

    Returns:
        Each with 0 in it, as TFLite needs it.
    """
    import tensorflow as tf
    import tf_keras as keras

    model, tensors = graph_lib.build(graph)
    values = [v for v in graph.inputs.values() if v.dtype == "float32"] + [
        call.output
        for call, output in plan.outputs(graph).items()
        if output == "moving"
    ]
    observer = keras.Model(model.inputs, [tensors[value] for value in values])

    @tf.function(autograph=False, reduce_retracing=True)
    def extremes(batch: Any) -> Any:
        found = tf.nest.flatten(observer(batch, training=False))
        low = [tf.minimum(tf.reduce_min(x), 0.0) for x in found]
        high = [tf.maximum(tf.reduce_max(x), 0.0) for x in found]
        return tf.stack(low), tf.stack(high)

    arrays = [inputs[name] for name in graph.inputs]
    found = []
    for start in range(0, len(arrays[0]), _BATCH_SIZE):
        batch = [tf.constant(x[start : start + _BATCH_SIZE]) for x in arrays]
        found.append(extremes(batch[0] if len(batch) == 1 else batch))
    lows = np.min([low for low, _ in found], axis=0)
    highs = np.max([high for _, high in found], axis=0)
    return {
        value: (float(low), float(high))
        for value, low, high in zip(values, lows, highs, strict=True)
    }


def quantize(graph: graph_lib.Graph, ranges: Ranges) -> Any:
    """Returns the quantization-aware model.

    A wrapper has the name of the layer in it. Operators and layers that are
    called with several arguments are followed by a layer that rounds.

    Args:
        graph: Built; its layers are put into wrappers and cannot be used
            without them any more.
        ranges: Where the moving ranges start: see `observe_ranges`.

    Returns:
        A functional `tf_keras` model, not compiled.
    """
    from tensorflow_model_optimization.python.core.quantization.keras import (
        quantize_layer,
    )

    outputs = plan.outputs(graph)
    rounding: dict[graph_lib.Value, Any] = {}

    def round_behind(value: graph_lib.Value, name: str, output: str) -> Any:
        layer = quantize_layer.QuantizeLayer(
            objects.range_quantizer(output), name=f"{name}_rounding"
        )
        rounding[value] = layer
        return layer

    _insert_rounding(graph, outputs, round_behind)
    config_class = objects.quantize_config_class()
    wrapper_class = objects.wrapper_class()

    def wrap(call: graph_lib.Call) -> Any:
        weights = plan.weights(call)
        output = outputs.get(call) if _fits_wrapper(call) else None
        if not weights and output is None:
            return call.layer
        wrapper = wrapper_class(
            call.layer, config_class(weights, output), name_prefix=""
        )
        if output == "moving":
            rounding[call.output] = wrapper
        return wrapper

    model, _ = graph_lib.build(graph, wrap)
    for value, layer in rounding.items():
        if value in ranges:
            _set_range(layer, *ranges[value])
    return model


def _insert_rounding(
    graph: graph_lib.Graph,
    outputs: Mapping[graph_lib.Call, Any],
    round_behind: Any,
) -> None:
    """Adds calls that round inputs, and what no wrapper can round."""
    for name, value in graph.inputs.items():
        if value.dtype == "float32":
            _insert(graph, value, round_behind(value, name, "moving"), 0)
    for call in list(graph.calls):
        output = outputs.get(call)
        if output is not None and not _fits_wrapper(call):
            layer = round_behind(call.output, call.layer.name, output)
            index = graph.calls.index(call) + 1
            _insert(graph, call.output, layer, index)


def _insert(
    graph: graph_lib.Graph, value: graph_lib.Value, layer: Any, index: int
) -> None:
    rounded = graph_lib.Value(value.shape, value.dtype)
    graph.redirect(value, rounded)
    graph.calls.insert(index, graph_lib.Call(layer, (value,), (rounded,)))


def _fits_wrapper(call: graph_lib.Call) -> bool:
    """Whether TF-MOT's wrapper can stand for a layer.

    It passes on one argument, and forgets what else a recurrent layer does.
    """
    import tf_keras as keras

    return (
        len(call.args) == 1
        and len(call.outputs) == 1
        and not graph_lib.values_in(call.kwargs)
        and call.kind not in ("TFOpLambda", "SlicingOpLambda")
        and not isinstance(
            call.layer,
            (keras.layers.RNN, keras.layers.Wrapper, keras.layers.Lambda),
        )
    )


def _set_range(layer: Any, low: float, high: float) -> None:
    variables = getattr(layer, "_output_quantizer_vars", None)
    if variables is None:
        variables = layer.quantizer_vars
    variables["min_var"].assign(low)
    variables["max_var"].assign(high)
