# SPDX-License-Identifier: Apache-2.0
import numpy as np

from tests.tflite import handmade
from tflite_opt.post_training import real_values
from tflite_opt.tflite import flatbuffer


def _tensor(tmp_path, dtype, shape, **quantization):
    builder = handmade.Builder()
    builder.tensor(shape, dtype, **quantization)
    path = builder.save(tmp_path / "model.tflite")
    return flatbuffer.read(path).subgraphs[0].tensors[0]


def test_one_scale_comes_with_a_zero_point(tmp_path):
    tensor = _tensor(tmp_path, "int8", (2,), scale=[0.5], zero_point=[-3])
    values = np.array([[-3, -1]], np.int8)
    np.testing.assert_array_equal(
        real_values.dequantize(values, tensor), [[0, 1]]
    )


def test_each_channel_has_its_scale(tmp_path):
    tensor = _tensor(tmp_path, "int8", (2, 2), scale=[0.5, 2.0])
    values = np.array([[1, 2], [3, 4]], np.int8)
    np.testing.assert_array_equal(
        real_values.dequantize(values, tensor), [[0.5, 1], [6, 8]]
    )


def test_floats_stay_as_they_are(tmp_path):
    tensor = _tensor(tmp_path, "float32", (2,))
    values = np.array([1.5, -2], np.float32)
    np.testing.assert_array_equal(
        real_values.dequantize(values, tensor), values
    )


def test_real_values_become_the_nearest_levels_within_limits(tmp_path):
    tensor = _tensor(tmp_path, "int8", (2,), scale=[0.5], zero_point=[-3])
    found = real_values.quantize(np.array([0.3, 1e3], np.float32), tensor)
    assert found.tolist() == [-2, 127]
    assert found.dtype == np.int8
