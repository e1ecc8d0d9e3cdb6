# SPDX-License-Identifier: Apache-2.0
"""Changes what keeps XNNPACK from sparse inference, and nothing else.

XNNPACK leaves out the zeros of 1x1 convolutions on Arm processors if the whole
network has a form that Keras' own MobileNets lack. Some of that is a matter of
writing: those layers are replaced here by others that compute the same. What
would change the function stays, and is named.
"""

from collections.abc import Iterator
from typing import Any

from tflite_opt.keras_models.rewriting import graph

_POOLING = "GlobalAveragePooling2D"
_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D")


def rewrite(model: Any) -> tuple[Any, tuple[str, ...]]:
    """Returns a model with the same function that is nearer to that form.

    Args:
        model: A built functional or Sequential `tf_keras` model. Its layers
            become part of the result, so it must not be used any more.

    Returns:
        The model, and a sentence each on what was changed and what was not.
    """
    found = graph.read(model)
    halving = [call for call in found.calls if _halves_with_same(call)]
    padded = [call for call in halving if _is_odd(call)]
    kept = [call for call in halving if not _is_odd(call)]
    for call in padded:
        _pad_in_front(found, call)
    classifiers = list(_pointwise_behind_pooling(found))
    for call in classifiers:
        _make_dense(found, call)
    rewritten, _ = graph.build(found)
    return rewritten, tuple(_notes(padded, classifiers, kept))


def _notes(
    padded: list[graph.Call],
    classifiers: list[graph.Call],
    kept: list[graph.Call],
) -> Iterator[str]:
    if padded:
        yield f"Padded in front, for sparse inference: {_names(padded)}."
    if classifiers:
        yield f"Made dense, for sparse inference: {_names(classifiers)}."
    if kept:
        yield (
            "Sparse inference stays out of reach: SAME padding of even sides "
            f"is at one end only in {_names(kept)}. Build the model with "
            "ZeroPadding2D(1) and padding='valid' there, and train it."
        )


def _names(calls: list[graph.Call]) -> str:
    return ", ".join(call.layer.name for call in calls)


def _halves_with_same(call: graph.Call) -> bool:
    layer = call.layer
    return (
        call.kind in _CONVOLUTIONS
        and layer.padding == "same"
        and tuple(layer.strides) == (2, 2)
        and tuple(layer.kernel_size) == (3, 3)
        and tuple(layer.dilation_rate) == (1, 1)
        and layer.data_format == "channels_last"
    )


def _is_odd(call: graph.Call) -> bool:
    """Whether SAME pads by 1 at both ends."""
    return all(
        side is not None and side % 2 for side in call.inputs[0].shape[1:3]
    )


def _pad_in_front(found: graph.Graph, call: graph.Call) -> None:
    import tf_keras as keras

    source = call.inputs[0]
    batch, height, width, channels = source.shape
    padded = graph.Value(
        (batch, (height or 0) + 2, (width or 0) + 2, channels), source.dtype
    )
    padding = keras.layers.ZeroPadding2D(1, name=f"{call.layer.name}_pad")
    config = call.layer.get_config() | {"padding": "valid"}
    found.replace(
        call,
        [
            graph.Call(padding, (source,), (padded,)),
            graph.Call(
                type(call.layer).from_config(config),
                (padded,),
                call.outputs,
                weights=call.get_weights(),
            ),
        ],
    )


def _pointwise_behind_pooling(found: graph.Graph) -> Iterator[graph.Call]:
    """Yields 1x1 convolutions between the last pooling and the outputs."""
    for value in graph.values_in(found.outputs):
        behind = []
        call = found.producer(value)
        while call is not None and call.kind != _POOLING:
            if call.kind == "Conv2D" and call.inputs[0].shape[1:3] == (1, 1):
                behind.append(call)
            call = (
                found.producer(call.inputs[0])
                if len(call.inputs) == 1
                else None
            )
        if call is not None:
            yield from behind


def _make_dense(found: graph.Graph, call: graph.Call) -> None:
    import tf_keras as keras

    layer, source = call.layer, call.inputs[0]
    batch, channels = source.shape[0], source.shape[-1]
    flat = graph.Value((batch, channels), source.dtype)
    scores = graph.Value((batch, layer.filters), source.dtype)
    weights = call.get_weights()
    weights[0] = weights[0].reshape(channels, layer.filters)
    dense = keras.layers.Dense(
        layer.filters,
        activation=layer.activation,
        use_bias=layer.use_bias,
        name=layer.name,
    )
    found.replace(
        call,
        [
            graph.Call(
                keras.layers.Flatten(name=f"{layer.name}_flatten"),
                (source,),
                (flat,),
            ),
            graph.Call(dense, (flat,), (scores,), weights=weights),
            graph.Call(
                keras.layers.Reshape(
                    (1, 1, layer.filters), name=f"{layer.name}_reshape"
                ),
                (scores,),
                call.outputs,
            ),
        ],
    )
