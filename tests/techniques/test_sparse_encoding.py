# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from tests.techniques import fake_context
from tflite_opt.conversion import context as context_lib
from tflite_opt.records import conversion
from tflite_opt.techniques import float16, float32, sparse_encoding
from tflite_opt.tflite import facts as facts_reader
from tflite_opt.tflite import resolvers


def choose(dense_bytes):
    context = fake_context.FakeContext()
    options = conversion.ConverterOptions(optimize=True)
    dense = conversion.Converted(
        content=b"x" * dense_bytes, backend="given", notes=("Made.",)
    )
    found = sparse_encoding.smaller(context, options, dense)
    assert context.options.sparse_encoding
    assert context.options.optimize
    return found


def test_takes_the_encoded_file_where_it_is_smaller():
    found = choose(1000)
    assert found.content == b"converter"
    assert found.backend == "tflite_converter"
    assert found.notes == (
        "Made.",
        "Sparse encoding takes 9 instead of 1,000 bytes.",
    )


def test_keeps_the_dense_file_where_it_is_not():
    found = choose(9)
    assert found.content == b"x" * 9
    assert found.backend == "given"
    assert found.notes[1].startswith("Sparse encoding left out: it takes 9")


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """Returns the context of a network with 80 % zeros."""
    import tensorflow as tf
    import tf_keras as keras

    model = keras.Sequential(
        [
            keras.Input((4, 4, 64), name="image"),
            keras.layers.Conv2D(64, 1, use_bias=False),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )
    kernel = np.random.default_rng(0).normal(size=(64, 64))
    kernel[np.abs(kernel) < 1.28] = 0
    model.layers[0].set_weights([kernel.reshape(1, 1, 64, 64)])
    folder = tmp_path_factory.mktemp("frozen")
    model.export(folder / "saved_model")
    path = folder / "float.tflite"
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(folder / "saved_model")
    )
    path.write_bytes(converter.convert())
    return context_lib.FrozenModel(
        path,
        facts_reader.read_facts(path, delegation=False),
        folder / "saved_model",
        {},
    )


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(float32.Float32, "float32"), (float16.Float16, "float16")],
    ids=["float32", "float16"],
)
def test_a_sparse_file_is_smaller_and_computes_the_same(
    frozen, tmp_path, kind, dtype
):
    sizes = {}
    for encoded in (False, True):
        path = tmp_path / f"{encoded}.tflite"
        technique = kind(sparse_encoding=encoded)
        path.write_bytes(technique.convert(frozen).content)
        found = facts_reader.read_facts(path, values=True)
        technique.verify(found)
        sizes[encoded] = found.size_bytes
        kernel = max(found.weights, key=lambda t: t.num_elements)
        assert kernel.is_sparse == encoded
        assert kernel.dtype == dtype
        assert kernel.values.zeros / 64**2 == pytest.approx(0.8, abs=0.01)
    assert sizes[True] < 0.6 * sizes[False]
    inputs = {"image": np.ones((2, 4, 4, 64), np.float32)}
    assert resolvers.compare_resolvers(path, inputs).ok
