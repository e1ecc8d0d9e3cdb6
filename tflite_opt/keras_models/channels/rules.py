# SPDX-License-Identifier: Apache-2.0
"""What each kind of layer does to channels.

A kind that has no rule here keeps its inputs whole, and makes nothing that
could be removed.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tflite_opt.keras_models import kernels
from tflite_opt.keras_models.channels import shape_rules, tracing
from tflite_opt.keras_models.rewriting import graph as graph_lib

Rule = Callable[[tracing.Trace, graph_lib.Call], None]

# Activations that work on each number alone.
_ELEMENTWISE = frozenset(
    {
        *("elu", "exponential", "gelu", "hard_sigmoid", "linear", "mish"),
        *("relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign"),
        *("swish", "tanh"),
    }
)
# TensorFlow's functions that do, with numbers as further arguments.
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
    if _is_elementwise(call.layer):
        _elementwise(trace, call)
    else:
        _softmax(trace, call)


def _softmax(trace: tracing.Trace, call: graph_lib.Call) -> None:
    trace.keep(call, f"{call.kind} looks at all channels at once.")


def _is_elementwise(layer: Any) -> bool:
    activation = getattr(layer, "activation", None)
    if activation is None:
        return True
    return getattr(activation, "__name__", "") in _ELEMENTWISE


def _finish(
    trace: tracing.Trace, call: graph_lib.Call, out: np.ndarray, axis: int
) -> None:
    """Gives a layer with an activation its output's atoms."""
    if not _is_elementwise(call.layer):
        trace.fix(out, f"{call.path} has an activation over channels.")
    rank = len(call.output.shape)
    trace.atoms[call.output] = tracing.on_axis(out, axis, rank)


def _bias(
    trace: tracing.Trace,
    call: graph_lib.Call,
    out: np.ndarray,
    role: tracing.Role,
) -> None:
    if call.layer.use_bias:
        trace.place(call, "bias", 0, out, role)


def _convolution(trace: tracing.Trace, call: graph_lib.Call) -> None:
    layer = call.layer
    axis = shape_rules.channel_axis(call)
    rank = len(layer.kernel_size) + 2
    out_axis, in_axis = rank - 1, rank - 2
    if kernels.is_transposed(layer):
        out_axis, in_axis = in_axis, out_axis
    inputs = trace.channels(call, call.inputs[0], axis)
    out = trace.new(layer.filters)
    groups = layer.groups
    role: tracing.Role = "producer" if groups == 1 else "follower"
    if groups == 1:
        trace.consume(call, call.inputs[0])
        trace.place(call, "kernel", in_axis, inputs, "consumer")
    else:
        first = inputs.reshape(groups, -1)[:, :1]
        for atoms in (inputs.reshape(groups, -1), out.reshape(groups, -1)):
            trace.tie(np.broadcast_to(first, atoms.shape), atoms)
    trace.place(call, "kernel", out_axis, out, role)
    _bias(trace, call, out, role)
    _finish(trace, call, out, axis)


def _depthwise(trace: tracing.Trace, call: graph_lib.Call) -> None:
    layer = call.layer
    axis = shape_rules.channel_axis(call)
    inputs = trace.channels(call, call.inputs[0], axis)
    out = np.repeat(inputs, layer.depth_multiplier)
    trace.place(
        *(call, "depthwise_kernel", len(layer.kernel_size), inputs, "follower")
    )
    _bias(trace, call, out, "follower")
    _finish(trace, call, out, axis)


def _separable(trace: tracing.Trace, call: graph_lib.Call) -> None:
    layer = call.layer
    axis = shape_rules.channel_axis(call)
    rank = len(layer.kernel_size)
    inputs = trace.channels(call, call.inputs[0], axis)
    trace.consume(call, call.inputs[0])
    out = trace.new(layer.filters)
    between = np.repeat(inputs, layer.depth_multiplier)
    trace.place(call, "depthwise_kernel", rank, inputs, "follower")
    trace.place(call, "pointwise_kernel", rank, between, "consumer")
    trace.place(call, "pointwise_kernel", rank + 1, out, "producer")
    _bias(trace, call, out, "producer")
    _finish(trace, call, out, axis)


def _dense(trace: tracing.Trace, call: graph_lib.Call) -> None:
    last = len(call.output.shape) - 1
    inputs = trace.channels(call, call.inputs[0], last)
    trace.consume(call, call.inputs[0])
    out = trace.new(call.layer.units)
    trace.place(call, "kernel", 0, inputs, "consumer")
    trace.place(call, "kernel", 1, out, "producer")
    _bias(trace, call, out, "producer")
    _finish(trace, call, out, last)


def _embedding(trace: tracing.Trace, call: graph_lib.Call) -> None:
    out = trace.new(call.layer.output_dim)
    trace.place(call, "embeddings", 1, out, "producer")
    _finish(trace, call, out, len(call.output.shape) - 1)


def _attention(trace: tracing.Trace, call: graph_lib.Call) -> None:
    layer = call.layer
    if len(call.outputs) > 1:
        trace.keep(call, "Attention scores have the heads that they have.")
        return
    tensors = attended(call)
    last = len(call.output.shape) - 1
    heads = trace.new(layer._num_heads)
    for name, value in tensors.items():
        inputs = trace.channels(call, value, len(value.shape) - 1)
        trace.consume(call, value)
        trace.place(call, f"{name}/kernel", 0, inputs, "consumer")
        trace.place(call, f"{name}/kernel", 1, heads, "producer")
        if layer._use_bias:
            trace.place(call, f"{name}/bias", 0, heads, "producer")
    for value in call.inputs:
        if value not in tensors.values():
            trace.fix(trace.atoms[value], "It is an attention's mask.")
    out = trace.new(int(layer._output_dense.kernel.shape[-1]))
    trace.place(call, "attention_output/kernel", 0, heads, "consumer")
    trace.place(call, "attention_output/kernel", 2, out, "producer")
    if layer._use_bias:
        trace.place(call, "attention_output/bias", 0, out, "producer")
    rank = len(call.output.shape)
    trace.atoms[call.output] = tracing.on_axis(out, last, rank)


def attended(call: graph_lib.Call) -> dict[str, graph_lib.Value]:
    """Returns the three tensors of an attention by name."""
    names = ("query", "value", "key")
    given = dict(zip(names, call.args, strict=False)) | {
        name: call.kwargs[name] for name in names if name in call.kwargs
    }
    if given.get("key") is None:
        given["key"] = given["value"]
    return {name: given[name] for name in ("query", "key", "value")}


def _batch_normalization(trace: tracing.Trace, call: graph_lib.Call) -> None:
    axes = _axes(call)
    value = call.inputs[0]
    if len(axes) != 1:
        trace.keep(call, f"{call.kind} has several axes.")
        return
    atoms = trace.channels(call, value, axes[0])
    for name in tracing.weight_names(call.layer):
        trace.place(call, name, 0, atoms, "follower")
    if call.kind == "LayerNormalization":
        trace.statistics.append((call, atoms))
    trace.atoms[call.output] = trace.atoms[value]


def _axes(call: graph_lib.Call) -> list[int]:
    axis = call.layer.axis
    axes = [axis] if isinstance(axis, int) else list(axis)
    return [a % len(call.output.shape) for a in axes]


def _prelu(trace: tracing.Trace, call: graph_lib.Call) -> None:
    value = call.inputs[0]
    atoms = trace.atoms[value]
    shape = call.layer.alpha.shape
    for axis in range(1, atoms.ndim):
        if atoms.shape[axis] > 1 and shape[axis - 1] > 1:
            found = trace.channels(call, value, axis)
            trace.place(call, "alpha", axis - 1, found, "follower")
    trace.atoms[call.output] = trace.atoms[value]


def _layer_scale(trace: tracing.Trace, call: graph_lib.Call) -> None:
    value = call.inputs[0]
    atoms = trace.channels(call, value, len(value.shape) - 1)
    for name in tracing.weight_names(call.layer):
        trace.place(call, name, 0, atoms, "follower")
    trace.atoms[call.output] = trace.atoms[value]


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
            *("Conv1D", "Conv2D", "Conv3D"),
            *("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
        ),
        _convolution,
    ),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _depthwise),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _separable),
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
    "BatchNormalization": _batch_normalization,
    "Concatenate": _concatenation,
    "Dense": _dense,
    "Embedding": _embedding,
    "LayerNormalization": _batch_normalization,
    "LayerScale": _layer_scale,
    "MultiHeadAttention": _attention,
    "PReLU": _prelu,
    "Rescaling": _rescaling,
    "Softmax": _softmax,
    "TFOpLambda": _operator,
    **shape_rules.RULES,
}
