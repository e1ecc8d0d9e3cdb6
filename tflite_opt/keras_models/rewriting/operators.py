# SPDX-License-Identifier: Apache-2.0
"""Operators become layers: `x + y` an `Add`, `tf.nn.relu(x)` a `ReLU`.

What has no layer stays as it is.
"""

import dataclasses
from typing import Any

import numpy as np

from tflite_opt.keras_models.rewriting import graph as graph_lib

_ARITHMETIC = {
    "__operators__.add": "Add",
    "__operators__.mul": "Multiply",
    "__operators__.sub": "Subtract",
    "__operators__.truediv": "Divide",
    "math.add": "Add",
    "math.multiply": "Multiply",
    "math.subtract": "Subtract",
    "math.divide": "Divide",
    "math.truediv": "Divide",
}
# TensorFlow's names; Keras calls swish what others call silu.
_ACTIVATIONS = {
    "math.sigmoid": "sigmoid",
    "math.tanh": "tanh",
    "nn.elu": "elu",
    "nn.gelu": "gelu",
    "nn.silu": "swish",
    "nn.softmax": "softmax",
}


def to_layers(graph: graph_lib.Graph) -> None:
    """Replaces each operator by a layer that does the same, if there is one."""
    for call in list(graph.calls):
        if call.kind != "TFOpLambda":
            continue
        layer = _layer(call)
        if layer is not None:
            args = call.inputs if len(call.inputs) > 1 else call.inputs[0]
            graph.replace(
                call,
                [
                    dataclasses.replace(
                        call, layer=layer, args=(args,), kwargs={}
                    )
                ],
            )


def _layer(call: graph_lib.Call) -> Any:
    import tf_keras as keras

    layers, name = keras.layers, call.layer.name
    function = call.layer.get_config()["function"]
    operands = [
        *call.args,
        *(x for key, x in call.kwargs.items() if key != "name"),
    ]
    if function in _ARITHMETIC and call.output.dtype == "float32":
        return _arithmetic(_ARITHMETIC[function], operands, name)
    if len(operands) > 1:
        return None
    if function in _ACTIVATIONS:
        return layers.Activation(_ACTIVATIONS[function], name=name)
    if function == "nn.relu":
        return layers.ReLU(name=name)
    if function == "nn.relu6":
        return layers.ReLU(6.0, name=name)
    return None


def _arithmetic(kind: str, operands: list[Any], name: str) -> Any:
    import tf_keras as keras

    tensors = [x for x in operands if isinstance(x, graph_lib.Value)]
    if len(tensors) == len(operands) == 2:
        ranks = {len(x.shape) for x in tensors}
        # Layers match the axes of unlike ranks from the other end.
        if kind == "Divide" or len(ranks) > 1:
            return None
        return getattr(keras.layers, kind)(name=name)
    if len(operands) != 2 or len(tensors) != 1:
        return None
    (other,) = (x for x in operands if not isinstance(x, graph_lib.Value))
    number = _number(other)
    if number is None:
        return None
    is_first = tensors[0] is operands[1]
    if kind == "Add":
        scale, offset = 1.0, number
    elif kind == "Multiply":
        scale, offset = number, 0.0
    elif kind == "Subtract":
        scale, offset = (-1.0, number) if is_first else (1.0, -number)
    elif not is_first and number:
        scale, offset = 1 / number, 0.0
    else:
        return None
    return keras.layers.Rescaling(scale, offset, name=name)


def _number(value: Any) -> float | None:
    array = np.asarray(value)
    return float(array) if array.size == 1 and array.dtype != object else None
