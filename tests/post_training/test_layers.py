# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.post_training import models
from tests.tflite import handmade
from tflite_opt.post_training import layers, operation_runner
from tflite_opt.records import errors
from tflite_opt.tflite import constants, flatbuffer


def _outputs_of_the_only_layer(path, inputs):
    """Returns the layer, its input, weights, and output without bias."""
    runner = operation_runner.OperationRunner(path, inputs)
    (layer,) = layers.find(runner.model)
    runner.run_before(layer.position)
    source = runner.value(layer.source)
    runner.run_before(layer.position + 1)
    weights, bias = (
        constants.read(runner.model, runner.graph.tensors[i])
        for i in (layer.weights, layer.bias)
    )
    return layer, source, weights, runner.value(layer.output) - bias


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("conv", {"channels": 5, "kernel": 3, "stride": 2}),
        ("conv", {"channels": 5, "kernel": 3, "dilation": 2}),
        ("conv", {"channels": 4, "kernel": 2, "padding": models.VALID}),
        ("depthwise", {}),
        ("depthwise", {"stride": 2, "multiplier": 2}),
        ("depthwise", {"padding": models.VALID}),
    ],
    ids=["strided", "dilated", "valid", "depthwise", "multiplied", "valid dw"],
)
def test_patches_times_matrices_are_what_the_runtime_computes(
    tmp_path, kind, options
):
    network = models.Network((7, 7, 3))
    getattr(network, kind)(activation=models.NONE, **options)
    path = network.save(tmp_path / "layer.tflite")
    random = np.random.default_rng(2)
    inputs = {"x": random.normal(size=(3, 7, 7, 3)).astype(np.float32)}
    layer, source, weights, expected = _outputs_of_the_only_layer(path, inputs)
    groups = layer.groups_for(source)
    matrices = layer.to_matrices(weights, groups)
    every = np.arange(layer.num_patches(source))
    found = layer.patches(source, every) @ matrices
    channels = found.transpose(1, 0, 2).reshape(len(every), -1)
    np.testing.assert_allclose(
        channels, expected.reshape(channels.shape), atol=1e-5
    )
    np.testing.assert_array_equal(layer.from_matrices(matrices), weights)
    np.testing.assert_allclose(
        layer.mean_patch(source),
        layer.patches(source, every).mean(axis=1),
        atol=1e-6,
    )


def test_a_fully_connected_layer_is_one_product(tmp_path):
    path = handmade.dense_with_signature().save(tmp_path / "dense.tflite")
    inputs = {"x": np.arange(8, dtype=np.float32).reshape(2, 4)}
    layer, source, weights, expected = _outputs_of_the_only_layer(path, inputs)
    matrices = layer.to_matrices(weights, layer.groups_for(source))
    found = layer.patches(source, np.arange(2)) @ matrices
    np.testing.assert_allclose(found[0], expected[:, 0])
    np.testing.assert_array_equal(matrices[0], handmade.WEIGHTS.T)
    np.testing.assert_allclose(
        layer.mean_patch(source)[0], inputs["x"].mean(axis=0)
    )


def test_layers_of_two_files_are_paired_in_order(float_net, int8_net):
    pairs = layers.pair(*map(flatbuffer.read, (float_net, int8_net)))
    assert [old.kind for old, _ in pairs] == [
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "CONV_2D",
        "FULLY_CONNECTED",
    ]


def test_files_of_other_layers_are_no_pair(float_net, tmp_path):
    other = handmade.dense().save(tmp_path / "dense.tflite")
    with pytest.raises(errors.ModelError, match="Received: 1 layers for 6"):
        layers.pair(*map(flatbuffer.read, (float_net, other)))


def test_a_quantized_parent_is_refused_with_its_tensors(int8_net):
    model = flatbuffer.read(int8_net)
    with pytest.raises(
        errors.ModelError, match=r"Received: \d+ quantized tensors, such as 'x'"
    ):
        layers.pair(model, model)
