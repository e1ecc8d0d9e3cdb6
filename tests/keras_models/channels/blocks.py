# SPDX-License-Identifier: Apache-2.0
"""Small models, one for each kind of block that channels pass through."""

import tensorflow as tf
import tf_keras as keras
from tf_keras.src.applications import convnext

layers = keras.layers


def _image(channels=3):
    return keras.Input((8, 8, channels), name="image")


def _model(image, x):
    """Ends in a pooling and a classifier."""
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(3, name="logits")(x))


def plain():
    """Convolution, normalization, activation, and another convolution."""
    image = _image()
    x = layers.Conv2D(6, 3, name="first")(image)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.ReLU(6.0)(x)
    x = layers.Dropout(0.5)(x)
    return _model(image, layers.Conv2D(4, 1, name="second")(x))


def inverted_residual():
    """Expansion, depthwise convolution, projection, and a residual."""
    image = _image()
    x = layers.Conv2D(6, 3, padding="same", name="stem")(image)
    y = layers.Conv2D(12, 1, use_bias=False, name="expand")(x)
    y = layers.ReLU(6.0)(layers.BatchNormalization(name="bn")(y))
    y = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(y)
    y = layers.Activation("sigmoid")(y)
    y = layers.Conv2D(6, 1, name="project")(y)
    return _model(image, layers.Add()([x, y]))


def depth_multiplier():
    """Two outputs of a depthwise convolution for each input."""
    image = _image()
    x = layers.Conv2D(6, 3, name="stem")(image)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x)
    x = layers.BatchNormalization(name="bn")(x)
    return _model(image, x)


def separable():
    """Separable convolutions, one with a multiplier."""
    image = _image()
    x = layers.SeparableConv2D(6, 3, name="first")(image)
    x = layers.SeparableConv2D(8, 3, depth_multiplier=2, name="second")(x)
    return _model(image, x)


def separable_1d():
    """A separable convolution of a sequence."""
    sequence = keras.Input((10, 3), name="sequence")
    x = layers.Conv1D(6, 3, name="stem")(sequence)
    x = layers.SeparableConv1D(8, 3, depth_multiplier=2, name="sep")(x)
    x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(sequence, layers.Dense(3, name="logits")(x))


def transposed():
    """Transposed convolutions, with cropping and upsampling."""
    image = _image()
    x = layers.Conv2D(6, 3, strides=2, padding="same", name="down")(image)
    x = layers.Conv2DTranspose(8, 3, strides=2, name="up")(x)
    x = layers.Cropping2D(1)(layers.UpSampling2D()(x))
    return keras.Model(image, layers.Conv2D(2, 1, name="mask")(x))


def dense():
    """Layers of a classifier."""
    features = keras.Input((7,), name="features")
    x = layers.Dense(8, activation="relu", name="first")(features)
    x = layers.Dense(6, activation="tanh", name="second")(x)
    return keras.Model(features, layers.Dense(3, name="logits")(x))


def conv_1d():
    """Convolutions of a sequence."""
    sequence = keras.Input((10, 3), name="sequence")
    x = layers.Conv1D(6, 3, name="first")(sequence)
    x = layers.ZeroPadding1D(1)(layers.MaxPooling1D()(x))
    x = layers.Conv1D(8, 3, groups=2, name="second")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(sequence, layers.Dense(3, name="logits")(x))


def prelu():
    """Slopes for each channel, shared over the image and not."""
    image = _image()
    x = layers.Conv2D(6, 3, name="first")(image)
    x = layers.PReLU(shared_axes=(1, 2), name="shared")(x)
    x = layers.Conv2D(4, 3, name="second")(x)
    return _model(image, layers.PReLU(name="own")(x))


def pre_activation():
    """Normalization in front of convolutions, and a projected shortcut."""
    image = _image()
    x = layers.Conv2D(6, 3, padding="same", name="stem")(image)
    y = layers.ReLU()(layers.BatchNormalization(name="bn1")(x))
    shortcut = layers.Conv2D(8, 1, strides=2, name="shortcut")(y)
    y = layers.Conv2D(5, 1, use_bias=False, name="reduce")(y)
    y = layers.ReLU()(layers.BatchNormalization(name="bn2")(y))
    y = layers.ZeroPadding2D(1)(y)
    y = layers.Conv2D(8, 3, strides=2, name="expand")(y)
    x = layers.Add()([shortcut, y])
    return _model(image, layers.ReLU()(layers.BatchNormalization()(x)))


def concatenation():
    """Branches side by side, one of them the input."""
    image = _image()
    a = layers.Conv2D(6, 1, name="a")(image)
    b = layers.Conv2D(4, 3, padding="same", name="b")(image)
    x = layers.Concatenate()([a, image, b])
    x = layers.BatchNormalization(name="bn")(x)
    return _model(image, layers.Conv2D(5, 1, name="after")(x))


def dense_block():
    """Each convolution reads all that came before."""
    image = _image()
    x = layers.Conv2D(6, 3, padding="same", name="stem")(image)
    for index in range(2):
        y = layers.BatchNormalization(name=f"bn{index}")(x)
        y = layers.Conv2D(4, 3, padding="same", name=f"conv{index}")(y)
        x = layers.Concatenate()([x, y])
    x = layers.AveragePooling2D(2)(layers.Conv2D(5, 1, name="transition")(x))
    return _model(image, x)


def joined_sequences():
    """Positions of one sequence behind those of another."""
    image = _image()
    x = layers.Reshape((64, 6))(layers.Conv2D(6, 1, name="a")(image))
    y = layers.Reshape((16, 6))(layers.Conv2D(6, 1, 2, name="b")(image))
    x = layers.Concatenate(axis=1)([x, y])
    x = layers.Dense(5, activation="relu", name="after")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(image, layers.Dense(3, name="logits")(x))


def squeeze_excite():
    """Channels are weighed by what a small network makes of their means."""
    image = _image()
    x = layers.Conv2D(8, 3, name="stem")(image)
    y = layers.GlobalAveragePooling2D()(x)
    y = layers.Reshape((1, 1, 8))(y)
    y = layers.Conv2D(4, 1, activation="swish", name="reduce")(y)
    y = layers.Conv2D(8, 1, activation="sigmoid", name="gate")(y)
    x = layers.Multiply()([x, y])
    return _model(image, layers.Conv2D(5, 1, name="after")(x))


def spatial_attention():
    """A map of one channel weighs all others, which it stays for."""
    image = _image()
    x = layers.Conv2D(8, 3, name="stem")(image)
    y = layers.Conv2D(1, 1, activation="sigmoid", name="map")(x)
    return _model(image, layers.Multiply()([x, y]))


def hard_swish():
    """MobileNetV3's activation, made of operators."""
    image = _image()
    x = layers.Conv2D(8, 3, name="stem")(image)
    x = layers.Multiply()([x, layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)])
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = tf.nn.relu6(x) - layers.Rescaling(0.5, 1.0)(x)
    return _model(image, x)


def flattened():
    """Every position of a channel is an input of its own."""
    image = _image()
    x = layers.Conv2D(6, 3, name="stem")(image)
    x = layers.Flatten()(x)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.Dense(5, activation="relu", name="hidden")(x)
    return keras.Model(image, layers.Dense(3, name="logits")(x))


def permuted():
    """Channels move to another axis and back."""
    image = _image()
    x = layers.Conv2D(6, 3, name="stem")(image)
    x = layers.Permute((3, 1, 2))(x)
    x = layers.Reshape((6, 36))(x)
    x = layers.Permute((2, 1))(x)
    x = layers.Dense(5, name="after")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(image, layers.Dense(3, name="logits")(x))


def shuffled():
    """Channels of two halves take turns, as in ShuffleNet."""
    image = _image()
    x = layers.Conv2D(8, 3, name="stem")(image)
    x = layers.Permute((1, 2, 4, 3))(layers.Reshape((6, 6, 2, 4))(x))
    x = layers.Reshape((6, 6, 8))(x)
    return _model(image, layers.DepthwiseConv2D(3, name="depthwise")(x))


def grouped():
    """A group of a convolution goes with the channels that it reads."""
    image = _image()
    x = layers.Conv2D(8, 3, name="stem")(image)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.Conv2D(12, 3, groups=4, name="grouped")(x)
    return _model(image, layers.Conv2D(5, 1, name="after")(x))


def layer_norm():
    """Normalization over the channels themselves."""
    image = _image()
    x = layers.Conv2D(8, 3, name="stem")(image)
    x = layers.LayerNormalization(name="norm")(x)
    return _model(image, layers.Conv2D(5, 1, name="after")(x))


def convnext_block():
    """The block of ConvNeXt, whose residual is added by an operator."""
    image = _image()
    x = layers.Conv2D(6, 2, strides=2, name="stem")(image)
    y = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    y = layers.LayerNormalization(epsilon=1e-6, name="norm")(y)
    y = layers.Dense(24, activation="gelu", name="expand")(y)
    y = layers.Dense(6, name="project")(y)
    y = convnext.LayerScale(0.1, 6, name="scale")(y)
    y = convnext.StochasticDepth(0.1)(y)
    return _model(image, x + y)


def attention():
    """A block of a transformer over the positions of an image."""
    image = _image()
    x = layers.Conv2D(8, 2, strides=2, name="patches")(image)
    x = layers.Reshape((16, 8))(x)
    y = layers.MultiHeadAttention(4, 3, name="attention")(x, x)
    x = layers.Add()([x, y])
    y = layers.Dense(16, activation="gelu", name="expand")(x)
    x = layers.Add()([x, layers.Dense(8, name="project")(y)])
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(image, layers.Dense(3, name="logits")(x))


def cross_attention():
    """Queries and keys of unlike width."""
    queries = keras.Input((5, 3), name="queries")
    memory = keras.Input((7, 4), name="memory")
    q = layers.Dense(8, name="q")(queries)
    m = layers.Dense(6, name="m")(memory)
    x = layers.MultiHeadAttention(
        4, 3, value_dim=2, output_shape=10, use_bias=False, name="attention"
    )(query=q, value=m)
    x = layers.Flatten()(x)
    return keras.Model([queries, memory], layers.Dense(3, name="logits")(x))


def einsum():
    """Products along named axes, one with a bias for each position."""
    sequence = keras.Input((5, 3), name="sequence")
    x = layers.EinsumDense(
        "nte,ed->ntd", (5, 8), bias_axes="td", activation="relu", name="first"
    )(sequence)
    x = layers.EinsumDense("...d,de->...e", 6, bias_axes="e", name="second")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(sequence, layers.Dense(3, name="logits")(x))


def group_norm():
    """A layer that is not followed, between two that are."""
    image = _image()
    x = layers.Conv2D(6, 3, name="first")(image)
    x = layers.GroupNormalization(2)(layers.Conv2D(4, 3, name="kept")(x))
    return _model(image, layers.Conv2D(5, 1, name="after")(x))


def shared_norm():
    """A normalization over channels, called on two tensors."""
    image = _image()
    norm = layers.LayerNormalization(name="norm")
    a = layers.Conv2D(6, 1, name="a")(image)
    b = layers.Conv2D(6, 1, name="b")(image)
    x = layers.Concatenate()(
        [norm(a), norm(b), layers.LayerNormalization()(image)]
    )
    return _model(image, layers.Conv2D(5, 1, name="after")(x))


def embedding():
    """Features of tokens."""
    tokens = keras.Input((9,), dtype="int32", name="tokens")
    x = layers.Embedding(11, 8, name="embedding")(tokens)
    x = layers.Conv1D(6, 3, name="conv")(x)
    x = layers.GlobalMaxPooling1D()(x)
    return keras.Model(tokens, layers.Dense(3, name="logits")(x))


def nested():
    """A model inside a model, and one inside that."""
    inner = keras.Sequential(
        [
            keras.Input((8, 8, 6)),
            layers.Conv2D(6, 3, padding="same", name="conv"),
            layers.BatchNormalization(name="bn"),
        ],
        name="inner",
    )
    outer_input = keras.Input((8, 8, 6))
    outer = keras.Model(
        outer_input, layers.Add()([inner(outer_input), outer_input]), name="mid"
    )
    image = _image()
    x = layers.Conv2D(6, 3, padding="same", name="stem")(image)
    return _model(image, layers.Conv2D(5, 1, name="after")(outer(x)))


def shared():
    """One convolution, called on two tensors."""
    image = _image()
    conv = layers.Conv2D(6, 3, padding="same", name="shared")
    a = layers.Conv2D(4, 3, padding="same", name="a")(image)
    b = layers.Conv2D(4, 1, name="b")(image)
    x = layers.Concatenate()([conv(a), conv(b)])
    return _model(image, layers.Conv2D(5, 1, name="after")(x))


def shared_with_nested():
    """A layer that is called inside of a model and around it."""
    conv = layers.Conv2D(6, 3, padding="same", name="shared")
    inner_input = keras.Input((8, 8, 6))
    inner = keras.Model(inner_input, conv(inner_input), name="inner")
    image = _image()
    x = layers.Conv2D(6, 1, name="stem")(image)
    return _model(image, layers.Conv2D(5, 1, name="after")(inner(conv(x))))


def normalized_input():
    """Statistics of the data in front."""
    image = _image()
    x = layers.Rescaling(scale=[0.5, 1.0, 2.0])(image)
    x = layers.Normalization(name="normalization")(x)
    return _model(image, layers.Conv2D(6, 3, name="stem")(x))


def split_residual():
    """A concatenation is added to channels that nothing else divides."""
    image = _image()
    x = layers.Conv2D(10, 3, padding="same", name="stem")(image)
    a = layers.Conv2D(6, 1, name="a")(image)
    b = layers.Conv2D(4, 1, name="b")(image)
    return _model(image, layers.Add()([x, layers.Concatenate()([a, b])]))


def operators():
    """What layers do, said with functions of TensorFlow."""
    image = _image()
    x = layers.Conv2D(6, 3, padding="same", name="stem")(image)
    y = tf.nn.silu(tf.concat([x, image], axis=-1))
    gate = tf.reduce_mean(y, [1, 2], keepdims=True)
    gate = layers.Conv2D(9, 1, name="gate")(gate)
    x = tf.reduce_mean(y * tf.sigmoid(gate), axis=[1, 2])
    return keras.Model(image, layers.Dense(3, name="logits")(x))


def open_nested():
    """A model for any size of image, inside of one for one size."""
    inner = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            layers.Conv2D(6, 3, name="conv"),
            layers.Conv2D(4, 3, name="second"),
        ],
        name="inner",
    )
    image = _image()
    return _model(image, inner(image))


def two_outputs():
    """One output is inside of the model."""
    image = _image()
    x = layers.Conv2D(6, 3, name="stem")(image)
    y = layers.Conv2D(5, 3, name="kept")(x)
    z = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="z")(x))
    return keras.Model(image, [y, layers.Dense(3, name="logits")(z)])


BUILDERS = (
    *(plain, inverted_residual, depth_multiplier, separable, separable_1d),
    *(transposed, dense, conv_1d, prelu, pre_activation, concatenation),
    *(dense_block, joined_sequences, squeeze_excite, spatial_attention),
    *(hard_swish, flattened, permuted, shuffled, grouped, layer_norm),
    *(
        convnext_block,
        attention,
        cross_attention,
        embedding,
        nested,
        einsum,
        group_norm,
        shared_norm,
    ),
    *(
        shared,
        shared_with_nested,
        normalized_input,
        split_residual,
        operators,
        open_nested,
    ),
    two_outputs,
)
