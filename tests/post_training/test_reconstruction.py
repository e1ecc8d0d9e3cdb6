# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.post_training import models
from tests.tflite import handmade
from tflite_opt.post_training import (
    layers,
    operation_runner,
    real_values,
    reconstruction,
    rounding,
)
from tflite_opt.records import errors
from tflite_opt.tflite import constants, flatbuffer

_INPUTS = models.examples(30)


def _mean_outputs(path):
    """Returns the mean of each channel of the layer without activation."""
    runner = operation_runner.OperationRunner(path, _INPUTS)
    layer = layers.find(runner.model)[4]
    runner.run_before(layer.position + 1)
    tensor = runner.graph.tensors[layer.output]
    values = real_values.dequantize(runner.value(layer.output), tensor)
    step = tensor.scale[0] if len(tensor.scale) else 0.0
    return values.reshape(-1, values.shape[-1]).mean(axis=0), step


def _nearest(problem):
    return np.rint(problem.weights / problem.scale)


def _rounded(problem):
    return rounding.round_to_levels(
        problem.weights / problem.scale, problem.covariances[0], problem.limit
    )


def _constants(path, role):
    model = flatbuffer.read(path)
    return [
        constants.read(model, model.subgraphs[0].tensors[getattr(layer, role)])
        for layer in layers.find(model)
    ]


def test_corrected_biases_give_the_means_of_the_float_model(
    float_net, int8_net, tmp_path
):
    path = tmp_path / "corrected.tflite"
    done = reconstruction.reconstruct(float_net, int8_net, path, _INPUTS)
    assert (done.num_layers, done.biases, done.weights) == (6, 6, 0)
    expected, _ = _mean_outputs(float_net)
    before, step = _mean_outputs(int8_net)
    after, _ = _mean_outputs(path)
    assert np.abs(after - expected).max() < 0.2 * step
    assert np.abs(after - expected).max() < np.abs(before - expected).max()
    for old, new in zip(
        _constants(int8_net, "weights"),
        _constants(path, "weights"),
        strict=True,
    ):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "rule",
    [
        {"mode": "dynamic"},
        {"activation_bits": 16, "symmetric_activations": True},
    ],
    ids=["dynamic", "int16x8"],
)
def test_biases_of_other_dtypes_are_corrected_too(float_net, tmp_path, rule):
    path = models.quantized(float_net, tmp_path / "other.tflite", **rule)
    done = reconstruction.reconstruct(
        float_net, path, tmp_path / "corrected.tflite", _INPUTS
    )
    assert done.biases == done.num_layers >= 4
    expected, _ = _mean_outputs(float_net)
    before, _ = _mean_outputs(path)
    after, _ = _mean_outputs(tmp_path / "corrected.tflite")
    assert np.abs(after - expected).max() < np.abs(before - expected).max()


def test_weights_that_a_solver_rounds_to_the_nearest_are_those_of_the_file(
    float_net, int8_net, tmp_path
):
    path = tmp_path / "same.tflite"
    done = reconstruction.reconstruct(
        float_net, int8_net, path, _INPUTS, _nearest
    )
    assert done.weights == 6
    for old, new in zip(
        _constants(int8_net, "weights"),
        _constants(path, "weights"),
        strict=True,
    ):
        assert np.abs(old.astype(int) - new).max() <= 1
        assert (old == new).mean() > 0.99


@pytest.mark.parametrize(("bits", "limit"), [(8, 127), (4, 7)])
def test_chosen_weights_lower_the_error_of_the_layers_outputs(
    float_net, tmp_path, bits, limit
):
    path = models.quantized(
        float_net,
        tmp_path / "quantized.tflite",
        mode="dynamic",
        operation="CONV_2D",
        weight_bits=bits,
    )
    errors_of = {"nearest": 0.0, "chosen": 0.0}

    def solve(problem):
        assert problem.limit == limit
        levels = problem.weights / problem.scale
        found = {
            "nearest": np.clip(np.rint(levels), -limit, limit),
            "chosen": _rounded(problem),
        }
        for name, rounded in found.items():
            error = rounded - levels
            errors_of[name] += np.sum(error * (problem.covariances[0] @ error))
        return found["chosen"]

    result = tmp_path / "rounded.tflite"
    done = reconstruction.reconstruct(float_net, path, result, _INPUTS, solve)
    assert done.weights == 3
    assert errors_of["chosen"] < 0.8 * errors_of["nearest"]
    stored = [x for x in _constants(result, "weights") if x.dtype == np.int8]
    assert len(stored) == 3
    assert max(np.abs(x).max() for x in stored) <= limit


def test_covariances_are_those_of_the_patches(float_net):
    runner = operation_runner.OperationRunner(float_net, _INPUTS)
    layer = layers.find(runner.model)[1]
    runner.run_before(layer.position)
    values = runner.value(layer.source)
    own, cross = reconstruction.covariances(layer, values, 2 * values)
    rows = layer.patches(values, np.arange(layer.num_patches(values)))
    rows = rows - rows.mean(axis=1, keepdims=True)
    expected = rows.swapaxes(1, 2) @ rows / rows.shape[1]
    np.testing.assert_allclose(own, expected, atol=1e-4)
    np.testing.assert_allclose(cross, 2 * own, atol=1e-4)


def test_another_parent_is_refused(int8_net, tmp_path):
    other = handmade.dense_with_signature().save(tmp_path / "dense.tflite")
    inputs = {"x": np.ones((3, 4), np.float32)}
    with pytest.raises(errors.DataError, match="must have the shape"):
        reconstruction.reconstruct(other, int8_net, tmp_path / "x", inputs)
