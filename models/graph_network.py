# SPDX-License-Identifier: Apache-2.0
"""A graph convolutional network that classifies small graphs.

Each layer averages a node's features with its neighbours' by a product with
the normalized adjacency matrix, and transforms them. With 16 nodes of 4
features and 5 classes: 17,797 parameters.

References:
    Kipf and Welling, "Semi-Supervised Classification with Graph Convolutional
    Networks", 2017. https://arxiv.org/abs/1609.02907
"""

from collections.abc import Mapping

import tf_keras as keras

layers = keras.layers

INPUTS = {"features": ("nodes", "channels"), "adjacency": ("nodes", "nodes")}
DATASET = "graphs"

# Keras' 0.99 lets running statistics lag hundreds of steps behind, more than
# fine-tuning on a small data set has.
_MOMENTUM = 0.9

_NUM_LAYERS = 3


def build(
    input_shapes: Mapping[str, tuple[int, ...]],
    num_classes: int,
    filters: int = 64,
) -> keras.Model:
    """Returns the untrained model.

    Args:
        input_shapes: `features`: `(nodes, channels)`; `adjacency`:
            `(nodes, nodes)`, with self-loops and symmetrically normalized.
        num_classes: Size of the softmax output.
        filters: Features of each node in every layer.

    Returns:
        From `features` and `adjacency`, float32, to `probabilities`, shape
        `(n, num_classes)`.
    """
    features = keras.Input(input_shapes["features"], name="features")
    adjacency = keras.Input(input_shapes["adjacency"], name="adjacency")
    x = features
    for layer in range(1, _NUM_LAYERS + 1):
        x = layers.Dot(axes=(2, 1), name=f"aggregate{layer}")([adjacency, x])
        x = layers.Dense(filters, use_bias=False, name=f"transform{layer}")(x)
        x = layers.BatchNormalization(momentum=_MOMENTUM, name=f"bn{layer}")(x)
        x = layers.ReLU(name=f"relu{layer}")(x)
    mean = layers.GlobalAveragePooling1D(name="mean")(x)
    largest = layers.GlobalMaxPooling1D(name="max")(x)
    x = layers.Concatenate(name="pool")([mean, largest])
    x = layers.Dense(filters, activation="relu", name="hidden")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(
        [features, adjacency], probabilities, name="graph_network"
    )
