# SPDX-License-Identifier: Apache-2.0
"""Decides which tensors of a graph are rounded, as TFLite will do it."""

from collections.abc import Mapping
from typing import Any, Literal

from tflite_opt.keras_models.rewriting import activations, affine
from tflite_opt.keras_models.rewriting import graph as graph_lib
from tflite_opt.records import errors

Output = Literal["moving", "unit", "symmetric_unit"]

# Their results have the scale of their input in TFLite.
_SAME_SCALE = frozenset(
    {
        *("ActivityRegularization", "AveragePooling1D", "AveragePooling2D"),
        *("Cropping1D", "Cropping2D", "Dropout", "Flatten", "GaussianDropout"),
        *("GaussianNoise", "GlobalMaxPooling1D", "GlobalMaxPooling2D"),
        *("MaxPooling1D", "MaxPooling2D", "Permute", "RepeatVector"),
        *("Reshape", "SlicingOpLambda", "SpatialDropout1D"),
        *("SpatialDropout2D", "StochasticDepth", "UpSampling1D"),
        *("UpSampling2D", "ZeroPadding1D", "ZeroPadding2D"),
    }
)
# TFLite computes a ReLU behind them inside the same operation.
_WITH_RELU = frozenset(
    {
        *("Add", "Bias", "ChannelScale", "Conv2D", "Dense"),
        *("DepthwiseConv2D", "Multiply", "Subtract"),
    }
)
_KERNELS = {"DepthwiseConv1D": "depthwise_kernel"} | {
    "DepthwiseConv2D": "depthwise_kernel"
}


def weights(call: graph_lib.Call) -> Mapping[str, tuple[int, ...]]:
    """Returns the weights that are rounded in training, with channel axes.

    What else a layer has, the converter quantizes after training.
    """
    axes = affine.KERNEL_CHANNEL_AXES.get(call.kind)
    return {} if axes is None else {_KERNELS.get(call.kind, "kernel"): axes}


def outputs(
    graph: graph_lib.Graph,
) -> dict[graph_lib.Call, Output | None]:
    """Returns how the output of each call is rounded; None for not at all.

    Softmax and sigmoid at the end are not rounded, or a probability below
    1/512 would have no gradient; the converter does it.
    """
    final = graph_lib.values_in(graph.outputs)
    return {call: _output(graph, call, final) for call in graph.calls}


def _output(
    graph: graph_lib.Graph,
    call: graph_lib.Call,
    final: list[graph_lib.Value],
) -> Output | None:
    if len(call.outputs) > 1 or call.output.dtype != "float32":
        return None
    if call.kind in _SAME_SCALE:
        return None
    fixed = _fixed_range(call)
    if fixed is not None:
        is_probability = fixed == "unit" and call.output in final
        return None if is_probability else fixed
    reader = graph.only_reader(call.output)
    if call.kind in _WITH_RELU and activations.is_relu(reader):
        return None
    if reader is not None and reader.kind == "Concatenate":
        # The converter gives what is concatenated the scale of the result.
        return None
    return "moving"


def _fixed_range(call: graph_lib.Call) -> Output | None:
    import tf_keras as keras

    if call.kind == "Softmax":
        return "unit"
    if call.kind != "Activation":
        return None
    name: Any = keras.activations.serialize(call.layer.activation)
    fixed: dict[str, Output] = {"sigmoid": "unit", "tanh": "symmetric_unit"}
    return fixed.get(name)


def refusal(call: graph_lib.Call) -> str:
    """Returns why a call cannot be part of an integer model; "" if it can."""
    import tf_keras as keras

    layer = call.layer
    inner = getattr(layer, "layer", layer)
    if isinstance(inner, (keras.layers.RNN, keras.layers.Bidirectional)):
        return "The converter does not take ranges around a recurrent layer."
    # The rules leave only those that they cannot split.
    if isinstance(inner, keras.layers.MultiHeadAttention):
        return (
            "An attention is rounded inside only if it is called once, over "
            "one axis, without a mask, and returns no scores."
        )
    if isinstance(inner, keras.layers.EinsumDense):
        return (
            "An `EinsumDense` is rounded only if it is called once and "
            "takes in the last axes as `Dense` does."
        )
    name = call.kind
    if name == "Activation":
        name = keras.activations.serialize(layer.activation)
    if str(name).lower() in ("elu", "selu"):
        return "TFLite has no integer ELU."
    return ""


def require_integer_kernels(graph: graph_lib.Graph) -> None:
    """Checks that all of a graph can become integer.

    Raises:
        ModelError: If not, naming the layers.
    """
    refused = {
        call.layer.name: reason
        for call in graph.calls
        if (reason := refusal(call))
    }
    if refused:
        reasons = " ".join(sorted(set(refused.values())))
        raise errors.ModelError(
            f"All layers must have integer kernels to be trained for them. "
            f"Received: {', '.join(refused)}. {reasons} Quantize after "
            "training instead: int8 or dynamic_range."
        )
