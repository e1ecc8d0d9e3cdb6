# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.post_training import models
from tests.tflite import handmade
from tflite_opt.post_training import layers, operation_runner
from tflite_opt.records import errors
from tflite_opt.tflite import constants, interpreter


def _last_value(path, inputs, replaced=None):
    runner = operation_runner.OperationRunner(path, inputs)
    for tensor, values in (replaced or {}).items():
        runner.replace(tensor, values)
    runner.run_before(len(runner.graph.operators))
    (output,) = runner.graph.outputs
    return runner.value(output)[:, 0]


@pytest.mark.parametrize("name", ["float_net", "int8_net"])
def test_gives_the_bits_of_the_whole_file(request, name):
    path, inputs = request.getfixturevalue(name), models.examples(5)
    expected = interpreter.load(path).run_raw(inputs, batch_size=1)
    found = _last_value(path, inputs)
    np.testing.assert_array_equal(found, expected["y"])


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("role", ["weights", "bias"])
def test_a_replaced_constant_is_that_of_a_replaced_file(
    float_net, tmp_path, bits, role
):
    path = models.quantized(
        float_net,
        tmp_path / "quantized.tflite",
        operation="CONV_2D",
        weight_bits=bits,
    )
    inputs = models.examples(5)
    runner = operation_runner.OperationRunner(path, inputs)
    tensor = getattr(layers.find(runner.model)[2], role)
    values = constants.read(runner.model, runner.graph.tensors[tensor])
    changed = tmp_path / "changed.tflite"
    constants.replace(path, changed, {tensor: values[::-1]})
    found = _last_value(path, inputs, {tensor: values[::-1]})
    np.testing.assert_array_equal(found, _last_value(changed, inputs))
    assert (found != _last_value(path, inputs)).any()


def test_what_is_read_no_more_is_forgotten(float_net):
    runner = operation_runner.OperationRunner(float_net, models.examples(2))
    first = layers.find(runner.model)[0]
    runner.run_before(2)
    with pytest.raises(KeyError):
        runner.value(first.output)


def test_a_custom_operation_is_refused_by_name(tmp_path):
    builder = handmade.Builder()
    x, y = (builder.tensor((1, 4), name=name) for name in "xy")
    builder.operator("Mystery", (x,), (y,))
    builder.ends((x,), (y,))
    path = builder.save(tmp_path / "custom.tflite")
    with pytest.raises(errors.ModelError, match="with Mystery"):
        operation_runner.OperationRunner(path, {"x": np.ones((2, 4), "f4")})


def test_a_file_for_several_examples_is_refused(tmp_path):
    path = handmade.dense(batch=2).save(tmp_path / "two.tflite")
    with pytest.raises(errors.ModelError, match=r"inputs for \[\(2,\)\]"):
        operation_runner.OperationRunner(path, {"x": np.ones((2, 4), "f4")})


def test_data_of_another_shape_are_refused(float_net):
    with pytest.raises(errors.DataError, match="must have the shape"):
        operation_runner.OperationRunner(
            float_net, {"x": np.ones((2, 4), np.float32)}
        )


def test_large_tensors_are_for_fewer_examples(float_net, monkeypatch):
    inputs = models.examples(40)
    assert len(operation_runner.affordable(float_net, inputs)["x"]) == 40
    # The largest holds 6 channels of 6x6 pixels, padded.
    monkeypatch.setattr(operation_runner, "_MAX_TENSOR_BYTES", 10 * 4 * 216)
    assert len(operation_runner.affordable(float_net, inputs)["x"]) == 10
    monkeypatch.setattr(operation_runner, "_MAX_TENSOR_BYTES", 1)
    assert len(operation_runner.affordable(float_net, inputs)["x"]) == 8
