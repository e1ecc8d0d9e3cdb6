# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.tflite import handmade
from tflite_opt.records import errors, facts
from tflite_opt.tflite import interpreter, quantization


def _spec(scale=0.5, zero_point=0, dtype="int8"):
    return facts.TensorSpec(
        name="x",
        shape=(1,),
        dtype=dtype,
        scale=(scale,),
        zero_point=(zero_point,),
    )


def test_halves_are_rounded_to_even():
    values = np.array([0.25, 0.75, 1.25, -0.25, -0.75, -1.25], np.float32)
    found = quantization.quantize(values, _spec(0.5))
    assert found.tolist() == [0, 2, 2, 0, -2, -2]


def test_saturates_at_the_limits_of_the_dtype():
    values = np.array([-np.inf, -1e9, 1e9, np.inf], np.float32)
    found = quantization.quantize(values, _spec(0.1, 3, "uint8"))
    assert found.dtype == np.uint8
    assert found.tolist() == [0, 0, 255, 255]


def test_rejects_nan():
    with pytest.raises(errors.DataError, match="NaN for input 'x'"):
        quantization.quantize(np.array([np.nan], np.float32), _spec())


def test_dequantizes_with_scale_and_zero_point():
    values = np.array([-128, 0, 127], np.int8)
    found = quantization.dequantize(values, _spec(0.5, -128))
    assert found.dtype == np.float32
    assert found.tolist() == [0.0, 64.0, 127.5]


@pytest.mark.parametrize("delegate", ["xnnpack", "none"])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_agrees_with_the_kernel(tmp_path, dtype, delegate):
    zero_point = {"int8": -3, "uint8": 7, "int16": 0}[dtype]
    path = handmade.quantize(0.37, zero_point, dtype, 4096).save(
        tmp_path / "quantize.tflite"
    )
    model = interpreter.load(path, delegate=delegate)
    generator = np.random.default_rng(0)
    steps = generator.integers(-300, 300, (1, 4096)) / 2
    ties = steps * np.float32(0.37)
    values = np.where(generator.random(4096) < 0.5, ties, steps + 0.1234)
    values = values.astype(np.float32)
    expected = model.run_raw({"x": values})["y"]
    found = quantization.quantize(values, model.outputs[0])
    np.testing.assert_array_equal(found, expected)
