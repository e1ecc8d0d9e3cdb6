# SPDX-License-Identifier: Apache-2.0
"""Small models, each around one kind of layer, for what techniques accept.

Keras is imported when a model is built.
"""

_IMAGES = {
    "conv": lambda k: [k.Conv2D(4, 3)],
    "conv_elu": lambda k: [k.Conv2D(4, 3, activation="elu")],
    "conv_relu6": lambda k: [k.Conv2D(4, 3, activation="relu6")],
    "conv_bn": lambda k: [
        k.Conv2D(4, 3, use_bias=False, name="conv"),
        k.BatchNormalization(name="bn"),
        k.ReLU(name="relu"),
    ],
    "conv_bias_bn": lambda k: [k.Conv2D(4, 3), k.BatchNormalization()],
    "conv_relu_bn": lambda k: [
        k.Conv2D(4, 3, activation="relu"),
        k.BatchNormalization(name="bn"),
    ],
    "preactivation": lambda k: [
        k.MaxPooling2D(),
        k.BatchNormalization(name="bn"),
        k.ReLU(),
        k.Conv2D(4, 3),
    ],
    "conv_then_relu": lambda k: [
        k.Conv2D(4, 3, name="conv"),
        k.ReLU(name="relu"),
    ],
    "depthwise": lambda k: [
        k.DepthwiseConv2D(3, name="depthwise"),
        k.BatchNormalization(),
    ],
    "separable": lambda k: [k.SeparableConv2D(4, 3, name="separable")],
    "transpose": lambda k: [k.Conv2DTranspose(4, 3)],
    "frozen": lambda k: [k.Conv2D(4, 3, trainable=False, name="conv")],
    "tiny_kernel": lambda k: [k.Conv2D(2, 1, name="conv")],
    "dense_bn": lambda k: [k.Flatten(), k.Dense(4), k.BatchNormalization()],
    "dense_tanh": lambda k: [k.Flatten(), k.Dense(4, activation="tanh")],
    "swish": lambda k: [k.Conv2D(4, 3), k.Activation("swish")],
    "hard_sigmoid": lambda k: [k.Activation("hard_sigmoid")],
    "leaky_relu": lambda k: [k.Conv2D(4, 3), k.LeakyReLU()],
    "prelu": lambda k: [k.Conv2D(4, 3), k.PReLU(name="prelu")],
    "elu": lambda k: [k.Conv2D(4, 3), k.ELU()],
    "pooling": lambda k: [
        k.ZeroPadding2D(1),
        k.AveragePooling2D(),
        k.GlobalAveragePooling2D(),
        k.Dropout(0.1),
        k.Dense(3),
        k.Softmax(),
    ],
    "rescaling": lambda k: [
        k.Rescaling(2.0, name="rescaling"),
        k.Conv2D(4, 3),
    ],
    "normalization": lambda k: [
        k.Normalization(mean=[0.0] * 3, variance=[1.0] * 3),
        k.Conv2D(4, 3),
    ],
    "random_flip": lambda k: [k.RandomFlip(), k.Conv2D(4, 3)],
    "lambda": lambda k: [
        k.Lambda(lambda x: x * 2.0, name="lambda"),
        k.Conv2D(4, 3),
    ],
    "only_lambda": lambda k: [k.Lambda(lambda x: x * 2.0)],
    "layer_normalization": lambda k: [k.Conv2D(4, 3), k.LayerNormalization()],
}
_SEQUENCES = {
    "conv1d": lambda k: [k.Conv1D(4, 3, name="conv")],
    "max_pooling1d": lambda k: [k.Dense(4), k.MaxPooling1D()],
    "separable1d": lambda k: [k.SeparableConv1D(4, 3, name="separable")],
    "lstm": lambda k: [k.LSTM(4, name="lstm")],
    "gru": lambda k: [k.GRU(4)],
    "simple_rnn": lambda k: [k.SimpleRNN(4)],
    "stacked_cells": lambda k: [k.RNN([k.LSTMCell(4), k.LSTMCell(4)])],
    "bidirectional": lambda k: [k.Bidirectional(k.LSTM(4), name="both")],
    "time_distributed": lambda k: [k.TimeDistributed(k.Dense(4))],
    "einsum_dense": lambda k: [
        k.EinsumDense("nte,ehd->nthd", (6, 3, 2), bias_axes="hd"),
        k.EinsumDense("...hd,hde->...e", (6, 4), name="einsum"),
        k.EinsumDense("nte,ed->ntd", (6, 3), bias_axes="td", activation="relu"),
    ],
    "embedding": lambda k: [
        k.Lambda(lambda x: x[..., 0]),
        k.Embedding(9, 4),
        k.Flatten(),
    ],
}
_MERGES = {
    "add": lambda k, a, b: k.Add()([a, b]),
    "concatenate": lambda k, a, b: k.Concatenate()([a, b]),
    "multiply": lambda k, a, b: k.Multiply(name="multiply")([a, b]),
    "operator": lambda k, a, b: a + b,
    "slicing": lambda k, a, b: k.Add()([a, b])[:, 1:],
    "two_readers": lambda k, a, b: k.Add()(
        [k.BatchNormalization(name="bn")(a), b, a]
    ),
    "attention": lambda k, a, b: k.MultiHeadAttention(2, 4, name="attention")(
        k.Reshape((36, 4))(a), k.Reshape((36, 4))(b)
    ),
}

NAMES = (*_IMAGES, *_SEQUENCES, *_MERGES, "nested", "custom")


def build(name):
    """Returns the model of one kind."""
    import tf_keras as keras

    layers = keras.layers
    if name in _IMAGES:
        return keras.Sequential(
            [keras.Input((8, 8, 3)), *_IMAGES[name](layers)]
        )
    if name in _SEQUENCES:
        return keras.Sequential(
            [keras.Input((6, 4)), *_SEQUENCES[name](layers)]
        )
    image = keras.Input((8, 8, 3))
    if name in _MERGES:
        left = layers.Conv2D(4, 3, name="left")(image)
        right = layers.Conv2D(4, 3, name="right")(image)
        return keras.Model(image, _MERGES[name](layers, left, right))
    return {"nested": _nested, "custom": _custom}[name](keras, image)


def _nested(keras, image):
    inner = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3, name="conv"),
            keras.layers.BatchNormalization(name="bn"),
        ],
        name="inner",
    )
    return keras.Model(image, keras.layers.ReLU(name="relu")(inner(image)))


def _custom(keras, image):
    class Scale(keras.layers.Layer):
        """A layer that no technique knows."""

        def build(self, input_shape):
            self.gain = self.add_weight("gain", shape=(1, input_shape[-1]))

        def call(self, inputs):
            return inputs * self.gain

    x = keras.layers.Conv2D(4, 3, name="conv")(image)
    return keras.Model(image, Scale(name="scale")(x))
