# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests import in_process
from tests.techniques import fine_tuned
from tflite_opt import recipe, stages
from tflite_opt.conversion import convert
from tflite_opt.data import dataset, sources
from tflite_opt.keras_models import source
from tflite_opt.records import errors, run_directory, training
from tflite_opt.techniques import (
    full_integer,
    int4,
    low_bit_weights,
    quantization_aware_training,
)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"values": "quaternary"}, "LowBitWeights.values"),
        ({"layers": {"conv": "int8"}}, "LowBitWeights.layers"),
        ({"layers": {"(": "binary"}}, "or regular expressions. Received: '('"),
        (
            {"preserve": ("sparsity",)},
            "low_bit_weights can preserve nothing. Received: preserve=sparsity",
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_rejects_values_out_of_range(fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        low_bit_weights.LowBitWeights(**fields)


@pytest.mark.parametrize("values", ["ternary", "binary"])
def test_a_preset_comes_before_int8(values):
    found = recipe.presets()[f"{values}_int8"]
    assert found.compress == (low_bit_weights.LowBitWeights(values=values),)
    assert found.convert == full_integer.FullInteger()


def _network():
    import tf_keras as keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4, 4, 1), name="image"),
            layers.Conv2D(8, 3, use_bias=False, name="stem"),
            layers.BatchNormalization(momentum=0.5),
            layers.ReLU(),
            layers.Conv2D(16, 2, use_bias=False, name="middle"),
            layers.BatchNormalization(momentum=0.5),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="scores"),
        ]
    )


@pytest.mark.tensorflow
@pytest.mark.parametrize(("values", "most"), [("ternary", 3), ("binary", 2)])
def test_a_network_stays_good_and_keeps_its_promise(values, most):
    model = fine_tuned.trained(_network)
    before = model.get_layer("middle").kernel.numpy()
    found, kept = fine_tuned.apply(
        low_bit_weights.LowBitWeights(values=values), model
    )
    assert [(x.promise.layer, x.channel_unique_values) for x in kept] == [
        ("middle", most)
    ]
    kernel = found.model.get_layer("middle").kernel.numpy()
    # Trained, not only rounded.
    assert (np.sign(kernel) != np.sign(before)).any()
    assert found.histories[0].validation_accuracy[-1] > 0.9
    # 512 weights and 16 scales of 4 bytes.
    least = {"ternary": 166, "binary": 128}[values]
    assert found.notes[0].endswith(
        f"have at most {most} values in each channel. They take 512 bytes as "
        f"int8, half of that as int4, and at best {least}: a format for that "
        "is missing."
    )
    assert [note.split("/")[0] for note in found.notes[1:]] == [
        "stem",
        "scores",
    ]


@pytest.mark.slow
@pytest.mark.tensorflow
def test_the_file_has_as_few_values_however_it_is_made(tmp_path, monkeypatch):
    in_process.children(monkeypatch, tmp_path)
    run = run_directory.RunDirectory.create(tmp_path / "run", command="test")
    ternary = low_bit_weights.LowBitWeights()
    recipes = recipe.parse_names(["ternary_int8", "binary_int8"]) + (
        recipe.Recipe(
            name="aware",
            compress=(
                ternary,
                quantization_aware_training.QuantizationAwareTraining(
                    preserve=("clusters",)
                ),
            ),
            convert=full_integer.FullInteger(),
        ),
        recipe.Recipe(name="int4", compress=(ternary,), convert=int4.Int4()),
    )
    data = dataset.DataSpec(source="digits", num_calibration=40)
    found, failures = stages.make_variants(
        convert.Request(
            model=source.describe(source.Choice()),
            data=data,
            data_fingerprint=sources.load(data).fingerprint(),
            recipes=recipes,
        ),
        training.TrainingOptions(epochs=3, learning_rate=1e-3),
        run,
    )
    assert not failures
    assert [variant.artifact.name for variant in found] == [
        *("float32", "ternary_int8", "binary_int8", "aware", "int4")
    ]
    for variant, most in zip(found[1:], (3, 2, 3, 3), strict=True):
        few = [x for x in variant.kept if x.promise.max_unique_values]
        assert few
        assert {x.where for x in few} == {"tflite"}
        assert max(x.channel_unique_values for x in few) == most
    plain, packed = found[1].artifact, found[4].artifact
    assert packed.size_bytes < 0.7 * plain.size_bytes
