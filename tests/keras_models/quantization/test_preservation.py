# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.keras_models.rewriting import same
from tflite_opt.keras_models.quantization import preservation
from tflite_opt.keras_models.rewriting import rewrite
from tflite_opt.records import compression

pytestmark = pytest.mark.tensorflow

_VALUES = np.array([-0.5, 0.0, 0.25, 1.0], np.float32)


def _model():
    import tf_keras as keras

    layers = keras.layers
    model = same.randomize(
        same.chain(
            (6, 6, 2),
            layers.SeparableConv2D(8, 3, use_bias=False, name="separable"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(3, name="dense"),
        )
    )
    generator = np.random.default_rng(0)
    kernel = model.get_layer("separable").pointwise_kernel
    kernel.assign(generator.choice(_VALUES, kernel.shape))
    return model


def _promise(**fields):
    return compression.Promise(
        layer="separable", weight="pointwise_kernel", **fields
    )


def _kept(preserve, *promises):
    """Returns what is kept, the kernel after the rules, and the one before."""
    model = _model()
    before = model.get_layer("separable").pointwise_kernel.numpy()
    graph = rewrite.for_quantization(model)
    (kept,) = preservation.remember(
        graph, {("separable", "pointwise_kernel"): before}, promises, preserve
    )
    (call,) = (c for c in graph.calls if c.layer.name == "separable")
    return kept, call.get_weights()[0], before


def _moved(kernel):
    noise = np.random.default_rng(1).normal(size=kernel.shape)
    return (kernel + 0.1 * noise).astype(np.float32)


def test_zeros_stay_where_they_were():
    kept, kernel, before = _kept(("sparsity",), _promise(min_zero_fraction=0.1))
    found = np.asarray(preservation._brought_back(_moved(kernel), kept))
    np.testing.assert_array_equal(found == 0, before == 0)
    free = before != 0
    np.testing.assert_array_equal(found[free], _moved(kernel)[free])


@pytest.mark.parametrize("per_channel", [False, True])
def test_weights_of_a_cluster_stay_equal(per_channel):
    kept, kernel, _ = _kept(
        ("clusters",),
        _promise(max_unique_values=4, per_channel=per_channel),
    )
    found = np.asarray(preservation._brought_back(_moved(kernel), kept))
    for channel in range(8):
        assert len(np.unique(found[..., channel])) <= 4
    without_factor = found / kept.factor
    if not per_channel:
        assert len(np.unique(without_factor.round(5))) == 4


def test_what_is_in_its_clusters_already_stays():
    kept, kernel, _ = _kept(("clusters",), _promise(max_unique_values=4))
    np.testing.assert_allclose(
        preservation._brought_back(kernel, kept), kernel, atol=1e-5
    )


def test_zeros_in_clusters_stay_zeros():
    kept, kernel, before = _kept(
        ("sparsity", "clusters"),
        _promise(min_zero_fraction=0.1),
        _promise(max_unique_values=4),
    )
    found = np.asarray(preservation._brought_back(_moved(kernel), kept))
    np.testing.assert_array_equal(found == 0, before == 0)


def test_promises_follow_layers_that_were_split():
    graph = rewrite.for_quantization(_model())
    (found,) = preservation.carried(graph, [_promise(max_unique_values=4)])
    assert (found.layer, found.weight) == ("separable", "kernel")
    assert found.per_channel


def test_zeros_of_an_attention_stay_where_they_were():
    import tf_keras as keras

    x = keras.Input((4, 6))
    layer = keras.layers.MultiHeadAttention(2, 3, name="attention")
    model = same.randomize(keras.Model(x, layer(x, x)))
    before = np.where(np.arange(36) % 2, 1.5, 0).reshape(6, 2, 3)
    layer._query_dense.kernel.assign(before)
    promise = compression.Promise(
        layer="attention", weight="query/kernel", min_zero_fraction=0.5
    )
    graph = rewrite.for_quantization(model)
    originals = {("attention", "query/kernel"): before}
    (kept,) = preservation.remember(graph, originals, [promise], ("sparsity",))
    assert (kept.layer, kept.weight) == ("attention_query", "kernel")
    np.testing.assert_array_equal(kept.is_free, before.reshape(6, 6) != 0)
    (carried,) = preservation.carried(graph, [promise])
    assert (carried.layer, carried.weight) == ("attention_query", "kernel")
