# SPDX-License-Identifier: Apache-2.0
"""All rules in order: a model as TFLite's integer kernels will compute it."""

from typing import Any

from tflite_opt.keras_models.rewriting import (
    activations,
    affine,
    attention,
    convolutions,
    graph,
    normalization,
    operators,
    projections,
)


def for_quantization(model: Any) -> graph.Graph:
    """Returns a graph that computes the same as a model when it is used.

    Models inside it are opened, operators are layers, what TFLite computes
    apart stands apart (activations, attention, layer normalization), and
    batch normalization is part of the weights: its statistics are those of
    the trained model and stay so.

    Args:
        model: A built functional or Sequential `tf_keras` model. Its layers
            become part of the graph, so it must not be used any more.
    """
    found = graph.read(model)
    operators.to_layers(found)
    activations.find_hard_swish(found)
    attention.split(found)
    projections.einsum_to_dense(found)
    convolutions.split_separable(found)
    convolutions.grouped_to_depthwise(found)
    activations.split(found)
    activations.normalize(found)
    normalization.split(found)
    affine.fold(found)
    return found
