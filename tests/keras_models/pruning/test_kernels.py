# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests.keras_models import tiny
from tflite_opt.keras_models import layer_support
from tflite_opt.keras_models.pruning import kernels, selection
from tflite_opt.records import errors, pruning

pytestmark = pytest.mark.tensorflow

HALF = pruning.Pattern(final_sparsity=0.5)


def chain(*layers, shape=(12, 12, 4)):
    import tf_keras as keras

    return keras.Sequential([keras.Input(shape), *layers], name="chain")


@pytest.fixture
def network():
    from tf_keras import layers

    return chain(
        layers.Conv2D(8, 3, name="stem"),
        layers.DepthwiseConv2D(3, name="depthwise"),
        layers.SeparableConv2D(16, 3, name="separable"),
        layers.Conv2D(64, 3, name="conv"),
        layers.Conv2D(64, 1, name="pointwise"),
        layers.Conv2D(64, 1, groups=64, name="grouped"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, name="logits"),
    )


def chosen(model, pattern=HALF, **overrides):
    return {
        str(target.kernel): target.pattern
        for target in selection.select(model, pattern, overrides)
    }


def test_leaves_small_ends_and_depthwise_kernels_dense(network):
    assert list(chosen(network)) == [
        "separable/pointwise_kernel",
        "conv/kernel",
        "pointwise/kernel",
    ]
    reasons = {
        kernel.layer: kernel.dense_because
        for kernel in kernels.find(layer_support.walk(network))
    }
    assert "The first kernel costs much accuracy" in reasons["stem"]
    assert "The last kernel costs much accuracy" in reasons["logits"]
    assert "Depthwise" in reasons["grouped"]


def test_prunes_ends_that_hold_many_weights():
    from tf_keras import layers

    model = chain(
        layers.Dense(64, name="first"), layers.Dense(64, name="last"), shape=[8]
    )
    assert list(chosen(model)) == ["first/kernel", "last/kernel"]


def test_overrides_match_names_and_whole_expressions(network):
    tenth = pruning.Pattern(final_sparsity=0.1)
    dense = pruning.Pattern(final_sparsity=0.0)
    found = chosen(
        network,
        **{"pointwise": tenth, "stem|depthw.*": tenth, "sep.*|log.*": dense},
    )
    assert found == {
        "stem/kernel": tenth,
        "depthwise/depthwise_kernel": tenth,
        "conv/kernel": HALF,
        "pointwise/kernel": tenth,
    }


def test_the_first_override_that_matches_decides(network):
    tenth = pruning.Pattern(final_sparsity=0.1)
    dense = pruning.Pattern(final_sparsity=0.0)
    found = chosen(network, conv=tenth, **{".*": dense})
    assert found == {"conv/kernel": tenth}


def test_an_override_that_matches_nothing_is_refused(network):
    with pytest.raises(errors.InputError) as caught:
        chosen(network, con=HALF, **{"conv|stem": HALF})
    assert "must match a layer with a kernel. Received: 'con'. Layers" in str(
        caught.value
    )
    assert "stem, depthwise, separable, conv, pointwise" in str(caught.value)


def test_a_model_with_nothing_to_prune_is_refused():
    from tf_keras import layers

    with pytest.raises(errors.ModelError, match="'chain' with no kernels"):
        chosen(chain(layers.ReLU()))
    model = chain(layers.DepthwiseConv2D(3, name="only"))
    with pytest.raises(
        errors.ModelError,
        match=re.escape("with only/depthwise_kernel (Depthwise kernels hold"),
    ):
        chosen(model)


def test_blocks_need_two_dimensions(network):
    blocks = pruning.Pattern(final_sparsity=0.5, block_size=(2, 2))
    with pytest.raises(
        errors.InputError,
        match=re.escape("Received: conv/kernel of shape (3, 3, 16, 64)."),
    ):
        chosen(network, blocks)
    found = chosen(network, blocks, conv=HALF)
    assert found["pointwise/kernel"] == blocks


def test_groups_are_not_for_every_kernel():
    from tf_keras import layers

    model = chain(layers.Embedding(9, 4, name="table"), shape=(5,))
    with pytest.raises(
        errors.InputError,
        match=re.escape("Received: table/embeddings of shape (9, 4)."),
    ):
        chosen(model, pruning.Pattern(n_of_m=(2, 4)))
    model = chain(layers.Conv2DTranspose(4, 3, name="up"))
    with pytest.raises(errors.InputError, match="not for .* transposed conv"):
        chosen(model, pruning.Pattern(n_of_m=(2, 4)))


def test_finds_kernels_inside_models_and_composed_layers():
    import tf_keras as keras

    sequence = keras.Input((6, 8))
    inner = chain(keras.layers.Dense(8, name="dense"), shape=(6, 8))
    x = inner(sequence)
    x = keras.layers.Bidirectional(
        keras.layers.LSTM(4, name="lstm"), name="bi"
    )(
        x,
    )
    x = keras.layers.Reshape((2, 4))(x)
    x = keras.layers.MultiHeadAttention(2, 2, name="attention")(x, x)
    model = keras.Model(sequence, x)
    found = [str(k) for k in kernels.find(layer_support.walk(model))]
    assert found == [
        "chain/dense/kernel",
        "bi/forward_lstm/lstm_cell/kernel",
        "bi/forward_lstm/lstm_cell/recurrent_kernel",
        "bi/backward_lstm/lstm_cell/kernel",
        "bi/backward_lstm/lstm_cell/recurrent_kernel",
        "attention/query/kernel",
        "attention/query/bias",
        "attention/key/kernel",
        "attention/key/bias",
        "attention/value/kernel",
        "attention/value/bias",
        "attention/attention_output/kernel",
    ]
    assert "attention/query/bias" not in chosen(model)


def test_leaves_frozen_layers_alone():
    model = tiny.classifier()
    model.get_layer("conv").trainable = False
    assert [str(k) for k in kernels.find(layer_support.walk(model))] == [
        "scores/kernel"
    ]
