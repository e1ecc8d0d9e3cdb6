# SPDX-License-Identifier: Apache-2.0
import contextlib
import io

import numpy as np
import pytest

from tests.tflite import handmade
from tflite_opt.tflite import facts, sparsity


def test_cost_of_compressed_rows():
    # 100 values and narrow indices, and 11 segments up to 100.
    dense = sparsity.encoded_bytes((10, 256), 0, 4)
    assert sparsity.encoded_bytes((10, 256), 100, 4) - dense == 100 * (4 + 1)
    # Indices up to 256 need two bytes.
    dense = sparsity.encoded_bytes((10, 257), 0, 4)
    assert sparsity.encoded_bytes((10, 257), 100, 4) - dense == 100 * (4 + 2)
    # So do segments up to 300.
    dense = sparsity.encoded_bytes((10, 256), 0, 1)
    found = sparsity.encoded_bytes((10, 256), 300, 1)
    assert found - dense == 300 * (1 + 1) + 11
    assert sparsity.encoded_bytes((10, 256), 300, 1, 10) - found == 10 * 12


def test_a_dense_file_would_not_shrink(tmp_path):
    path = handmade.dense().save(tmp_path / "model.tflite")
    found = facts.read_facts(path, delegation=False, values=True)
    assert found.sparse_encoded_bytes == found.size_bytes


def _net():
    import tf_keras as keras

    generator = np.random.default_rng(0)
    layers = keras.layers
    image = keras.Input((8, 8, 32), batch_size=1, name="image")
    x = layers.Conv2D(48, 3, use_bias=False)(image)
    x = layers.Conv2D(64, 1, use_bias=False)(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(300, use_bias=False)(x)
    model = keras.Model(image, layers.Dense(40, use_bias=False)(x))
    for layer in model.layers:
        layer.set_weights(
            [
                w * (generator.random(w.shape) < 0.15)
                for w in layer.get_weights()
            ]
        )
    return model


def _images():
    generator = np.random.default_rng(0)
    for _ in range(2):
        yield [generator.random((1, 8, 8, 32), np.float32)]


@pytest.fixture(scope="module")
def pruned(tmp_path_factory):
    """Returns a folder with dense and sparse files of the same weights."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("pruned")
    model = _net()
    with contextlib.redirect_stdout(io.StringIO()):
        model.export(str(folder / "saved_model"))
    sparse = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
    for kind in ("float32", "int8"):
        for name, optimizations in {"dense": [], "sparse": sparse}.items():
            converter = tf.lite.TFLiteConverter.from_saved_model(
                str(folder / "saved_model")
            )
            if kind == "int8":
                optimizations = [tf.lite.Optimize.DEFAULT, *optimizations]
                converter.representative_dataset = _images
            converter.optimizations = optimizations
            path = folder / f"{kind}_{name}.tflite"
            path.write_bytes(converter.convert())
    return folder


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_estimate_is_close_to_the_converter(pruned, kind):
    dense, sparse = (
        facts.read_facts(
            pruned / f"{kind}_{name}.tflite", delegation=False, values=True
        )
        for name in ("dense", "sparse")
    )
    assert sparse.size_bytes < dense.size_bytes
    assert dense.sparse_encoded_bytes == pytest.approx(
        sparse.size_bytes, rel=0.02
    )
    assert sparse.sparse_encoded_bytes == sparse.size_bytes
    # The same weights, whichever way they are stored.
    assert sparse.zero_weight_fraction == dense.zero_weight_fraction
    by_shape = {tensor.shape: tensor.values for tensor in dense.weights}
    assert {t.shape: t.values for t in sparse.weights} == by_shape
    assert all(tensor.is_sparse for tensor in sparse.weights)
    assert sparse.macs == dense.macs
    assert sum(sparse.bytes_by_role.values()) == sparse.size_bytes
    assert sparse.bytes_by_role["sparsity"] > 0
