# SPDX-License-Identifier: Apache-2.0
"""Activations as TFLite has them, each where its rounding happens.

TFLite runs ReLU inside the operation before it; every other activation is an
operation of its own, whose input is rounded, too.
"""

import dataclasses
from typing import Any

import numpy as np

from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.keras_models.rewriting import layers as own_layers

_WITH_ACTIVATION = (
    *("Conv1D", "Conv2D", "Conv2DTranspose", "Dense", "DepthwiseConv2D"),
    *("Conv3D", "SeparableConv1D", "SeparableConv2D"),
)


def split(graph: graph_lib.Graph) -> None:
    """Takes activations out of the layers that have weights."""
    import tf_keras as keras

    for call in list(graph.calls):
        if call.kind not in _WITH_ACTIVATION or graph.is_shared(call):
            continue
        activation = call.layer.activation
        if activation is keras.activations.linear:
            continue
        between = dataclasses.replace(call.output)
        name = f"{call.layer.name}_activation"
        graph.replace(
            call,
            [
                dataclasses.replace(
                    call,
                    layer=relayer(call.layer, activation="linear"),
                    outputs=(between,),
                    weights=call.get_weights(),
                ),
                graph_lib.Call(
                    keras.layers.Activation(activation, name=name),
                    (between,),
                    call.outputs,
                ),
            ],
        )


def normalize(graph: graph_lib.Graph) -> None:
    """Says each activation in one way.

    ReLU becomes the layer, whichever way it was written; the linear one goes;
    swish becomes the sigmoid and the product that TFLite makes of it.
    """
    import tf_keras as keras

    for call in list(graph.calls):
        if call.kind != "Activation":
            continue
        activation = keras.activations.serialize(call.layer.activation)
        name = call.layer.name
        if activation == "linear":
            if call.output not in graph_lib.values_in(graph.outputs):
                graph.remove(call)
        elif activation in ("relu", "relu6"):
            bound = 6.0 if activation == "relu6" else None
            call.layer = keras.layers.ReLU(bound, name=name)
        elif activation == "softmax":
            call.layer = keras.layers.Softmax(name=name)
        elif activation == "swish":
            _split_swish(graph, call)


def _split_swish(graph: graph_lib.Graph, call: graph_lib.Call) -> None:
    import tf_keras as keras

    name = call.layer.name
    gate = dataclasses.replace(call.output)
    graph.replace(
        call,
        [
            dataclasses.replace(
                call,
                layer=keras.layers.Activation(
                    "sigmoid", name=f"{name}_sigmoid"
                ),
                outputs=(gate,),
            ),
            graph_lib.Call(
                keras.layers.Multiply(name=name),
                ([call.inputs[0], gate],),
                call.outputs,
            ),
        ],
    )


def find_hard_swish(graph: graph_lib.Graph) -> None:
    """Makes one layer of `x * ReLU6(x + 3) / 6`, as TFLite has it.

    Its parts are `Rescaling`, `ReLU` and `Multiply` layers.
    """
    for call in list(graph.calls):
        if call.kind != "Multiply" or len(call.inputs) != 2:
            continue
        for x, gate in (call.inputs, call.inputs[::-1]):
            steps = _hard_sigmoid(graph, gate)
            if steps and steps[0].inputs[0] is x:
                name = call.layer.name
                graph.replace(
                    call,
                    [
                        graph_lib.Call(
                            own_layers.classes()["HardSwish"](name=name),
                            (x,),
                            call.outputs,
                        )
                    ],
                )
                for step in steps:
                    graph.calls.remove(step)
                break


def _hard_sigmoid(
    graph: graph_lib.Graph, gate: graph_lib.Value
) -> list[graph_lib.Call]:
    """Returns the calls of `ReLU6(x + 3) / 6`, unless others read them."""
    steps: list[graph_lib.Call] = []
    value = gate
    for settings in (
        {"scale": 1 / 6, "offset": 0.0},
        {"max_value": 6.0, "negative_slope": 0.0, "threshold": 0.0},
        {"scale": 1.0, "offset": 3.0},
    ):
        call = graph.producer(value)
        if call is None or graph.only_reader(value) is None:
            return []
        config = call.layer.get_config()
        if not all(
            _is_number(config.get(key), wanted)
            for key, wanted in settings.items()
        ):
            return []
        steps.insert(0, call)
        value = call.inputs[0]
    return steps


def _is_number(value: Any, wanted: float) -> bool:
    """Whether a setting, which Keras may keep as an array, is a number."""
    array = np.asarray(value)
    return array.dtype.kind in "fi" and np.allclose(array, wanted, atol=1e-6)


def is_relu(call: graph_lib.Call | None) -> bool:
    """Whether TFLite runs a call inside the operation before it."""
    if call is None or call.kind != "ReLU":
        return False
    config = call.layer.get_config()
    return (
        config["max_value"] in (None, 6.0)
        and not config["negative_slope"]
        and not config["threshold"]
    )


def relayer(layer: Any, **changes: Any) -> Any:
    """Returns a layer like one, without its weights, with other settings."""
    made = type(layer).from_config(layer.get_config() | changes)
    made.trainable = layer.trainable
    return made
