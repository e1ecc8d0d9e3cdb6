# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.keras_models import kinds, tiny
from tflite_opt.keras_models import (
    fine_tuning,
    layer_weights,
    loading,
    saving,
)
from tflite_opt.keras_models.quantization import aware
from tflite_opt.records import compression, errors, training
from tflite_opt.techniques import base, quantization_aware_training

_Technique = quantization_aware_training.QuantizationAwareTraining


def _context(promises=(), **options):
    values = {"epochs": 2, "batch_size": 8, "learning_rate": 0.001} | options
    return fine_tuning.Context(
        train=tiny.split(),
        validation=tiny.split("validation", seed=1),
        calibration=tiny.split("calibration", 24, seed=2),
        options=training.TrainingOptions(**values),
        promises=promises,
    )


def _apply(model, technique=None, **context):
    return (technique or _Technique()).apply(model, _context(**context))


def test_is_known_by_its_name():
    found = base.from_recipe(
        {"technique": "quantization_aware_training", "epochs": 3}
    )
    assert found == _Technique(epochs=3)
    assert found.gives == "fake_quantization"


def test_rejects_to_preserve_what_it_cannot():
    with pytest.raises(errors.InputError, match=re.escape("clusters, spars")):
        _Technique(preserve=("fake_quantization",))


@pytest.mark.tensorflow
def test_trains_a_model_that_rounds_and_promises_8_bits():
    found = _apply(tiny.classifier())
    assert len(found.histories[0].loss) == 2
    assert found.promises == (
        compression.Promise(layer="conv", weight="kernel", is_int8=True),
        compression.Promise(layer="scores", weight="kernel", is_int8=True),
    )
    assert found.notes[0].startswith("3 ranges of activations")
    kept = layer_weights.measure(found.model, found.promises)
    assert [x.num_elements for x in kept] == [36, 48]


@pytest.mark.tensorflow
def test_a_frozen_layer_is_rounded_but_not_trained(tmp_path):
    model = tiny.classifier()
    frozen = model.get_layer("conv")
    frozen.trainable = False
    before = frozen.kernel.numpy()
    found = _apply(model, learning_rate=0.01)
    path = tmp_path / "model.h5"
    saving.save(found.model, path)
    kernels = {
        x.layer.name: x.layer.kernel.numpy()
        for x in loading.load(path).layers
        if getattr(getattr(x, "layer", None), "kernel", None) is not None
    }
    # But for the batch normalization that it takes in.
    np.testing.assert_allclose(kernels["conv"], before, rtol=1e-3)
    assert set(kernels) == {"conv", "scores"}


@pytest.mark.tensorflow
def test_training_lowers_the_loss():
    history = _apply(tiny.classifier(), epochs=4, learning_rate=0.01).histories
    assert history[0].loss[-1] < history[0].loss[0]


def _sparse_in_clusters():
    model = tiny.classifier()
    promises = []
    for name in ("conv", "scores"):
        kernel = model.get_layer(name).kernel
        values = np.round(kernel.numpy() * 8) / 8
        values[np.abs(values) < 0.2] = 0
        kernel.assign(values)
        about = {"layer": name, "weight": "kernel"}
        zeros = float((values == 0).mean())
        promises += [
            compression.Promise(**about, min_zero_fraction=zeros),
            compression.Promise(
                **about, max_unique_values=len(np.unique(values))
            ),
        ]
    return model, tuple(promises)


@pytest.mark.tensorflow
def test_zeros_and_clusters_are_kept_through_training():
    model, promises = _sparse_in_clusters()
    technique = _Technique(preserve=("sparsity", "clusters"))
    found = _apply(model, technique, promises=promises, learning_rate=0.01)
    kept = layer_weights.measure(found.model, found.carried)
    for one in kept:
        one.require()
    assert len(kept) == 4


@pytest.mark.tensorflow
def test_zeros_are_lost_without_being_preserved():
    model, promises = _sparse_in_clusters()
    found = _apply(model, promises=promises, learning_rate=0.01)
    (zeros, *_) = layer_weights.measure(found.model, found.carried)
    with pytest.raises(errors.VerificationError, match="zeros"):
        zeros.require()


@pytest.mark.tensorflow
def test_refuses_a_recurrent_model_by_the_name_of_the_layer():
    model = kinds.build("lstm")
    inputs = {model.input_names[0]: np.zeros((4, 6, 4), np.float32)}
    with pytest.raises(errors.ModelError, match=re.escape("Received: lstm.")):
        aware.make(model, inputs)
