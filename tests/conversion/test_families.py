# SPDX-License-Identifier: Apache-2.0
"""Recurrent layers, embeddings and matrix products reach their recipes."""

import numpy as np
import pytest

from tflite_opt import recipe
from tflite_opt.conversion import convert
from tflite_opt.data import dataset, sources
from tflite_opt.records import artifact, model_spec, run_directory

pytestmark = pytest.mark.tensorflow


def _recurrent(keras):
    steps = keras.Input((8, 8), name="steps")
    state = keras.layers.LSTM(64)(steps)
    scores = keras.layers.Dense(10, activation="softmax")(state)
    return keras.Model(steps, scores)


def _attention(keras):
    tokens = keras.Input((8,), name="tokens")
    x = keras.layers.Embedding(200, 32)(tokens)
    x = keras.layers.MultiHeadAttention(2, 16)(x, x)
    x = keras.layers.Flatten()(x)
    scores = keras.layers.Dense(10, activation="softmax")(x)
    return keras.Model(tokens, scores)


@pytest.fixture
def converted(tmp_path):
    """Returns a function that converts a model with random data."""
    import tf_keras as keras

    def run(build, shape, high, *names):
        keras.utils.set_random_seed(0)
        path = tmp_path / "model.h5"
        build(keras).save(path)
        random = np.random.default_rng(0)
        arrays = {
            f"x_{split}": random.integers(0, high, (count, *shape)).astype("f")
            / (1 if high > 2 else 2)
            for split, count in (("train", 120), ("test", 20))
        }
        arrays |= {"y_train": np.arange(120) % 10, "y_test": np.arange(20) % 10}
        np.savez(tmp_path / "data.npz", **arrays)
        spec = dataset.DataSpec(
            source=f"npz:{tmp_path / 'data.npz'}", num_calibration=20
        )
        request = convert.Request(
            model=model_spec.ModelSpec(
                artifact=artifact.describe(path, format="keras")
            ),
            data=spec,
            data_fingerprint=sources.load(spec).fingerprint(),
            recipes=recipe.parse_names(names),
            reference_splits=("validation",),
        )
        found, failures = convert.convert(
            request,
            run_directory.RunDirectory.create(tmp_path / "run", command="test"),
        )
        return {item.artifact.name: item for item in found}, failures

    return run


def test_an_lstm_is_quantized_by_the_converter(converted):
    found, failures = converted(_recurrent, (8, 8), 2, "dynamic_range", "int8")
    assert not failures
    for name, least in (("dynamic_range", 0.8), ("int8", 1.0)):
        assert found[name].backend == "tflite_converter"
        assert found[name].facts.quantized_weight_fraction >= least
        assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in (
            found[name].facts.operator_counts
        )


def test_an_embedding_and_its_attention_are_quantized(converted):
    found, failures = converted(_attention, (8,), 200, "dynamic_range")
    assert not failures
    left = found["dynamic_range"].facts.float_weight_fraction_by_operator()
    assert left["GATHER"] == 0
    assert left["FULLY_CONNECTED"] < 0.2
