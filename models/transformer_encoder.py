# SPDX-License-Identifier: Apache-2.0
"""A small Transformer encoder that classifies texts given as token ids.

Embeddings are narrow and projected to the model's width; the projection has a
bias of its own at each position, which is the learned position embedding.
With 16 tokens out of 92 and 4 classes: 39,876 parameters.

References:
    Vaswani et al., "Attention Is All You Need", 2017.
    https://arxiv.org/abs/1706.03762
    Lan et al., "ALBERT: A Lite BERT for Self-supervised Learning of Language
    Representations", 2020. https://arxiv.org/abs/1909.11942
"""

from typing import Any

import tf_keras as keras

layers = keras.layers

INPUTS = {"tokens": ("length",)}
DATASET = "tokens"


def build(
    input_shape: tuple[int, ...],
    num_classes: int,
    vocabulary_size: int,
    width: int = 64,
    num_heads: int = 4,
    num_blocks: int = 1,
) -> keras.Model:
    """Returns the untrained model.

    Args:
        input_shape: `(length,)` of one text, in tokens.
        num_classes: Size of the softmax output.
        vocabulary_size: Ids are in `[0, vocabulary_size)`.
        width: Features of each token.
        num_heads: Of each attention; divides `width`.
        num_blocks: Of attention and feed-forward network.

    Returns:
        From `tokens`, int32, to `probabilities`, shape `(n, num_classes)`.
    """
    tokens = keras.Input(input_shape, dtype="int32", name="tokens")
    x = layers.Embedding(vocabulary_size, width // 2, name="embedding")(tokens)
    x = layers.EinsumDense(
        "nte,ed->ntd",
        output_shape=(input_shape[0], width),
        bias_axes="td",
        bias_initializer="random_uniform",
        name="position",
    )(x)
    for block in range(1, num_blocks + 1):
        x = _encoder_block(x, width, num_heads, f"block{block}")
    x = layers.LayerNormalization(epsilon=1e-6, name="norm")(x)
    x = layers.GlobalAveragePooling1D(name="pool")(x)
    x = layers.Dense(num_classes, name="logits")(x)
    probabilities = layers.Softmax(name="probabilities")(x)
    return keras.Model(tokens, probabilities, name="transformer_encoder")


def _encoder_block(x: Any, width: int, num_heads: int, name: str) -> Any:
    y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm1")(x)
    y = layers.MultiHeadAttention(
        num_heads, width // num_heads, name=f"{name}_attention"
    )(y, y)
    x = layers.Add(name=f"{name}_add1")([x, y])
    y = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm2")(x)
    y = layers.Dense(2 * width, activation="relu", name=f"{name}_expand")(y)
    y = layers.Dense(width, name=f"{name}_project")(y)
    return layers.Add(name=f"{name}_add2")([x, y])
