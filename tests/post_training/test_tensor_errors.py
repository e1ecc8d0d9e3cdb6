# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.post_training import models
from tflite_opt.post_training import reconstruction, tensor_errors
from tflite_opt.records import errors, files
from tflite_opt.tflite import interpreter


@pytest.fixture(scope="module")
def found(float_net, int8_net):
    return tensor_errors.compute(float_net, int8_net, models.examples(60))


def test_each_operation_and_input_is_compared_in_order(
    found, float_net, int8_net
):
    assert [(x.operation, x.position) for x in found.tensors] == [
        ("INPUT", -1),
        ("CONV_2D", 0),
        ("DEPTHWISE_CONV_2D", 1),
        ("CONV_2D", 2),
        ("PAD", 3),
        ("DEPTHWISE_CONV_2D", 4),
        ("CONV_2D", 5),
        ("RESHAPE", 6),
        ("FULLY_CONNECTED", 7),
        ("SOFTMAX", 8),
    ]
    assert {x.dtype for x in found.tensors} == {"int8"}
    assert found.num_examples == 50
    assert found.parent_sha256 == files.sha256_of_file(float_net)
    assert found.sha256 == files.sha256_of_file(int8_net)


def test_the_last_figures_are_those_of_whole_files(found, float_net, int8_net):
    inputs = models.examples(60)
    exact, given = (
        interpreter.predict(path, {"x": inputs["x"][:50]})["y"]
        for path in (float_net, int8_net)
    )
    noise = given - exact
    last = found.tensors[-1]
    expected = 10 * np.log10((exact**2).sum() / (noise**2).sum())
    assert last.snr_db == pytest.approx(expected, abs=1e-3)
    norms = np.linalg.norm(exact) * np.linalg.norm(given)
    assert last.cosine == pytest.approx((exact * given).sum() / norms)


def test_a_shift_is_told_from_noise_and_from_who_passes_it_on(
    found, float_net, int8_net, tmp_path
):
    path = models.shifted(int8_net, tmp_path / "shifted.tflite")
    worse = tensor_errors.compute(float_net, path, models.examples(60))
    assert worse.first_below(25).operation == "FULLY_CONNECTED"
    dense, softmax = worse.tensors[-2:]
    assert dense.shift_fraction > 0.9
    assert dense.own_snr_db < 25
    assert softmax.snr_db < 25 < softmax.own_snr_db
    assert worse.tensors[:-2] == found.tensors[:-2]
    corrected = tmp_path / "corrected.tflite"
    reconstruction.reconstruct(
        float_net, path, corrected, models.examples(60, seed=3)
    )
    better = tensor_errors.compute(float_net, corrected, models.examples(60))
    assert better.tensors[-2].snr_db > dense.snr_db + 5


def test_values_beyond_the_levels_are_counted(float_net, int8_net):
    loud = {"x": 3 * models.examples(60)["x"]}
    source = tensor_errors.compute(float_net, int8_net, loud).tensors[0]
    assert source.clipped_fraction > 0.05
    assert source.unused_range_fraction == 0
    quiet = {"x": 0.25 * models.examples(60)["x"]}
    source = tensor_errors.compute(float_net, int8_net, quiet).tensors[0]
    assert source.clipped_fraction == 0
    assert source.unused_range_fraction > 0.5


def test_float_tensors_have_no_levels(float_net, tmp_path):
    path = models.quantized(
        float_net, tmp_path / "dynamic.tflite", mode="dynamic"
    )
    found = tensor_errors.compute(float_net, path, models.examples(10))
    source, *others = found.tensors
    assert source.snr_db is None
    assert others[0].dtype == "float32"
    assert others[0].clipped_fraction is None
    assert others[0].snr_db > 20


def test_layers_are_named_where_the_file_tells(tmp_path):
    network = models.Network((8, 8, 3))
    network.conv(4)
    network.conv(4)
    for tensor in network.builder.model.subgraphs[0].tensors:
        tensor.name = tensor.name.replace("CONV_2D_1", "net/second/Relu6;c")
    parent = network.save(tmp_path / "float.tflite")
    path = models.quantized(parent, tmp_path / "int8.tflite")
    found = tensor_errors.compute(
        parent, path, models.examples(10), ("first", "second")
    )
    assert [x.label for x in found.tensors] == ["x", "CONV_2D_0", "second"]


def test_a_quantized_parent_is_refused(int8_net):
    with pytest.raises(errors.ModelError, match="must come from a float model"):
        tensor_errors.compute(int8_net, int8_net, models.examples(10))


def test_files_of_other_layers_are_refused(float_net, tmp_path):
    other = models.Network((8, 8, 3))
    other.conv(4)
    parent = other.save(tmp_path / "float.tflite")
    path = models.quantized(parent, tmp_path / "int8.tflite")
    with pytest.raises(errors.ModelError, match="1 layers for 6"):
        tensor_errors.compute(float_net, path, models.examples(10))
