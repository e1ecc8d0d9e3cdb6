# SPDX-License-Identifier: Apache-2.0
"""What each kind of layer does to channels.

A kind that has no rule here keeps its inputs whole, and makes nothing that
could be removed.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tflite_opt.keras_models.channels import (
    shape_rules,
    tracing,
    weight_rules,
)
from tflite_opt.keras_models.rewriting import graph as graph_lib

Rule = Callable[[tracing.Trace, graph_lib.Call], None]

# TensorFlow's functions of each number alone; further arguments are numbers.
_ELEMENTWISE_FUNCTIONS = frozenset(
    {
        *("cast", "clip_by_value", "identity", "stop_gradient"),
        *("math.abs", "math.exp", "math.negative", "math.pow", "math.sigmoid"),
        *("math.softplus", "math.sqrt", "math.square", "math.tanh"),
        *("nn.elu", "nn.gelu", "nn.leaky_relu", "nn.relu", "nn.relu6"),
        *("nn.selu", "nn.silu"),
    }
)
_REDUCTION_FUNCTIONS = frozenset(
    {f"math.reduce_{kind}" for kind in ("max", "mean", "min", "sum")}
)
_ARITHMETIC_FUNCTIONS = frozenset(
    {
        *("__operators__.add", "__operators__.mul", "__operators__.sub"),
        *("__operators__.truediv", "math.add", "math.divide"),
        *("math.maximum", "math.minimum", "math.multiply", "math.subtract"),
        "math.truediv",
    }
)


def follow(trace: tracing.Trace, call: graph_lib.Call) -> None:
    """Gives the outputs of a call their atoms.

    Args:
        trace: Knows the atoms of the call's inputs.
        call: Of its graph.
    """
    rule = _RULES.get(call.kind)
    is_known = type(call.layer).__module__.split(".")[0] in (
        "tf_keras",
        "tflite_opt",
    )
    if rule is None or not is_known:
        trace.keep(call, f"{call.kind} is not followed.")
    else:
        rule(trace, call)


def _elementwise(trace: tracing.Trace, call: graph_lib.Call) -> None:
    trace.atoms[call.output] = trace.atoms[call.inputs[0]]


def _activation(trace: tracing.Trace, call: graph_lib.Call) -> None:
    if weight_rules.is_elementwise(call.layer):
        _elementwise(trace, call)
    else:
        _softmax(trace, call)


def _softmax(trace: tracing.Trace, call: graph_lib.Call) -> None:
    trace.fix(
        trace.atoms[call.inputs[0]],
        f"{call.path} looks at all of them at once.",
    )
    _elementwise(trace, call)


def _rescaling(trace: tracing.Trace, call: graph_lib.Call) -> None:
    layer = call.layer
    if np.size(layer.scale) == np.size(layer.offset) == 1:
        _elementwise(trace, call)
    else:
        trace.keep(call, "Its numbers belong to the channels as they are.")


def _concatenation(trace: tracing.Trace, call: graph_lib.Call) -> None:
    shape_rules.concatenate(trace, call, call.layer.axis)


def _operator(trace: tracing.Trace, call: graph_lib.Call) -> None:
    function = call.layer.get_config()["function"]
    takes_numbers = all(
        isinstance(x, graph_lib.Value) or np.ndim(x) == 0
        for x in (*call.args, *call.kwargs.values())
    )
    if function in _ARITHMETIC_FUNCTIONS and takes_numbers:
        shape_rules.merge(trace, call)
    elif (
        function in _ELEMENTWISE_FUNCTIONS
        and takes_numbers
        and len(call.inputs) == 1
    ):
        _elementwise(trace, call)
    elif function in _REDUCTION_FUNCTIONS:
        shape_rules.reduce(trace, call, _operator_axis(call))
    elif function == "concat":
        shape_rules.concatenate(trace, call, _operator_axis(call))
    else:
        trace.keep(call, f"tf.{function} is not followed.")


def _operator_axis(call: graph_lib.Call) -> Any:
    if len(call.args) > 1:
        return call.args[1]
    return call.kwargs.get("axis")


_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(
        (
            *("ActivityRegularization", "AlphaDropout", "Dropout", "ELU"),
            *("GaussianDropout", "GaussianNoise", "HardSwish", "LeakyReLU"),
            *("ReLU", "SpatialDropout1D", "SpatialDropout2D"),
            *("SpatialDropout3D", "StochasticDepth", "ThresholdedReLU"),
        ),
        _elementwise,
    ),
    **dict.fromkeys(
        ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"),
        shape_rules.merge,
    ),
    "Activation": _activation,
    "Concatenate": _concatenation,
    "Rescaling": _rescaling,
    "Softmax": _softmax,
    "TFOpLambda": _operator,
    **shape_rules.RULES,
    **weight_rules.RULES,
}
