# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.post_training import models
from tflite_opt.post_training import equalization, layers, operation_runner
from tflite_opt.records import errors
from tflite_opt.tflite import constants, interpreter

_INPUTS = models.examples(40)


def _maxima(path, layer):
    runner = operation_runner.OperationRunner(path, _INPUTS)
    found = layers.find(runner.model)[layer]
    runner.run_before(found.position + 1)
    values = runner.value(found.output)
    return np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)


@pytest.fixture(scope="module")
def equalized(float_net, tmp_path_factory):
    path = tmp_path_factory.mktemp("equalized") / "float.tflite"
    return path, equalization.equalize(float_net, path, _INPUTS)


def test_the_function_stays_the_same(float_net, equalized):
    expected, found = (
        interpreter.predict(path, _INPUTS)["y"]
        for path in (float_net, equalized[0])
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("layer", [0, 2], ids=["plain", "behind padding"])
def test_channels_before_a_depthwise_convolution_have_one_range(
    float_net, equalized, layer
):
    path, done = equalized
    before, after = _maxima(float_net, layer), _maxima(path, layer)
    goal = min(before.max(), 5.0)
    assert done.tensors == 2
    assert 1 < done.largest_factor <= 64
    np.testing.assert_allclose(
        after, np.clip(goal, before, 64 * before), rtol=1e-4
    )
    assert after.max() < 6.0 or after.max() == before.max()


def test_other_layers_stay_as_they_are(float_net, equalized):
    np.testing.assert_allclose(
        _maxima(equalized[0], 1), _maxima(float_net, 1), rtol=1e-4
    )


def test_a_channel_that_came_near_6_is_not_scaled(tmp_path):
    network = models.Network((8, 8, 3))
    network.conv(4)
    network.depthwise()
    path = network.save(tmp_path / "float.tflite")
    inputs = {"x": _INPUTS["x"] * 20}
    equalization.equalize(path, tmp_path / "equalized.tflite", inputs)
    runner = operation_runner.OperationRunner(path, inputs)
    runner.run_before(1)
    is_full = runner.value(layers.find(runner.model)[0].output).max(
        (0, 1, 2, 3)
    )
    after = operation_runner.OperationRunner(
        tmp_path / "equalized.tflite", inputs
    )
    index = layers.find(after.model)[0].weights
    old, new = (
        constants.read(x.model, x.graph.tensors[index]) for x in (runner, after)
    )
    assert (is_full == 6).any()
    np.testing.assert_array_equal(old[is_full == 6], new[is_full == 6])


def test_a_tensor_with_a_second_reader_is_left_alone(tmp_path):
    network = models.Network((8, 8, 3))
    shared = network.conv(4)
    network.depthwise()
    network.builder.operator(
        "ADD",
        (shared, network.last),
        (network.builder.tensor(network.shape, name="sum"),),
    )
    network.last += 1
    path = network.save(tmp_path / "float.tflite")
    done = equalization.equalize(path, tmp_path / "same.tflite", _INPUTS)
    assert (done.tensors, done.channels, done.largest_factor) == (0, 0, 1.0)
    assert (tmp_path / "same.tflite").read_bytes() == path.read_bytes()


def test_a_quantized_model_is_refused(int8_net, tmp_path):
    with pytest.raises(errors.ModelError, match="come from a float model"):
        equalization.equalize(int8_net, tmp_path / "x", _INPUTS)
    assert not (tmp_path / "x").exists()
