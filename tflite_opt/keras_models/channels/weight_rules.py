# SPDX-License-Identifier: Apache-2.0
"""What layers with weights do to channels: making them and taking them in."""

from typing import Any

import numpy as np

from tflite_opt.keras_models import kernels
from tflite_opt.keras_models.channels import shape_rules, tracing
from tflite_opt.keras_models.rewriting import graph as graph_lib

# Activations that work on each number alone.
_ELEMENTWISE = frozenset(
    {
        *("elu", "exponential", "gelu", "hard_sigmoid", "linear", "mish"),
        *("relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign"),
        *("swish", "tanh"),
    }
)


def is_elementwise(layer: Any) -> bool:
    """Whether a layer's activation works on each number alone."""
    activation = getattr(layer, "activation", None)
    if activation is None:
        return True
    return getattr(activation, "__name__", "") in _ELEMENTWISE


def _finish(
    trace: tracing.Trace, call: graph_lib.Call, out: np.ndarray, axis: int
) -> None:
    """Gives a layer with an activation its output's atoms."""
    if not is_elementwise(call.layer):
        trace.fix(out, f"{call.path} looks at all of them at once.")
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


def _einsum_dense(trace: tracing.Trace, call: graph_lib.Call) -> None:
    inputs, kernel, outputs = einsum_letters(call)
    taken, made = inputs[-1], outputs[-1]
    if taken in outputs or made in inputs or not {taken, made} <= {*kernel}:
        trace.keep(call, f"{call.layer.equation} is not followed.")
        return
    value = call.inputs[0]
    atoms = trace.channels(call, value, len(value.shape) - 1)
    trace.consume(call, call.inputs[0])
    axis = kernel.index(made)
    out = trace.new(int(call.layer.kernel.shape[axis]))
    trace.place(call, "kernel", kernel.index(taken), atoms, "consumer")
    trace.place(call, "kernel", axis, out, "producer")
    if made in (call.layer.bias_axes or ""):
        last = len(call.layer.bias.shape) - 1
        trace.place(call, "bias", last, out, "producer")
    _finish(trace, call, out, len(call.output.shape) - 1)


def einsum_letters(call: graph_lib.Call) -> tuple[str, str, str]:
    """Returns the axes of an `EinsumDense`: inputs, kernel and outputs."""
    inputs, kernel, outputs = call.layer.equation.replace("->", ",").split(",")
    return inputs, kernel, outputs


def _embedding(trace: tracing.Trace, call: graph_lib.Call) -> None:
    out = trace.new(call.layer.output_dim)
    trace.place(call, "embeddings", 1, out, "producer")
    _finish(trace, call, out, len(call.output.shape) - 1)


def _attention(trace: tracing.Trace, call: graph_lib.Call) -> None:
    layer = call.layer
    if len(call.outputs) > 1:
        trace.keep(call, "Attention scores have the heads that they have.")
        return
    if layer._output_dense.kernel.shape.rank != 3:
        trace.keep(call, "Its outputs have several axes.")
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


def _normalization(trace: tracing.Trace, call: graph_lib.Call) -> None:
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


RULES = {
    **dict.fromkeys(
        (
            *("Conv1D", "Conv2D", "Conv3D"),
            *("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
        ),
        _convolution,
    ),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _depthwise),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _separable),
    "BatchNormalization": _normalization,
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Embedding": _embedding,
    "LayerNormalization": _normalization,
    "LayerScale": _layer_scale,
    "MultiHeadAttention": _attention,
    "PReLU": _prelu,
}
