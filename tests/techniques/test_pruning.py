# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.keras_models import tiny
from tests.techniques import remembering
from tflite_opt.keras_models import layer_weights, training
from tflite_opt.records import errors
from tflite_opt.techniques import base, pruning


def zero_fraction(model, layer):
    kernel = model.get_layer(layer).kernel.numpy()
    return np.count_nonzero(kernel == 0) / kernel.size


@pytest.fixture
def model():
    training.make_reproducible(0)
    return tiny.classifier()


@pytest.mark.tensorflow
def test_prunes_fine_tunes_and_promises_what_it_did(model):
    context = remembering.context(patience=1)
    found = pruning.Pruning(final_sparsity=0.75).apply(model, context)
    assert zero_fraction(found.model, "conv") == 27 / 36
    assert zero_fraction(found.model, "scores") == 36 / 48
    (history,) = found.histories
    assert history.epochs == history.kept_epoch == 4
    assert [(p.layer, p.min_zero_fraction) for p in found.promises] == [
        ("conv", 27 / 36),
        ("scores", 36 / 48),
    ]
    for kept in layer_weights.measure(found.model, found.promises):
        kept.require()
    assert found.notes == ("Zeros in 2 kernels, 58.9% of all parameters.",)
    ((_, options),) = context.fits
    assert (options.keep, options.patience) == ("last", 0)


@pytest.mark.tensorflow
def test_layers_have_patterns_of_their_own(model):
    technique = pruning.Pruning(
        final_sparsity=0.75,
        layers={"conv": {"final_sparsity": 0.0}, "sc.*": {"n_of_m": (2, 4)}},
    )
    found = technique.apply(model, remembering.context(epochs=1))
    assert zero_fraction(found.model, "conv") == 0
    (promise,) = found.promises
    assert (promise.layer, promise.zeros_of_block) == ("scores", (2, 4))
    (kept,) = layer_weights.measure(found.model, found.promises)
    assert kept.unfit_blocks == 0
    assert "Left dense: conv (as asked)" in found.notes


@pytest.mark.tensorflow
@pytest.mark.parametrize("criterion", ["taylor", "random"])
def test_other_criteria_give_as_many_zeros(model, criterion):
    before = model.get_layer("scores").kernel.numpy()
    technique = pruning.Pruning(
        final_sparsity=0.5, criterion=criterion, schedule="constant"
    )
    found = technique.apply(model, remembering.context(epochs=1))
    kernel = found.model.get_layer("scores").kernel.numpy()
    assert np.count_nonzero(kernel == 0) == 24
    by_magnitude = np.argsort(np.abs(before), axis=None)[:24]
    assert set(np.flatnonzero(kernel == 0)) != set(by_magnitude)


@pytest.mark.tensorflow
def test_a_regular_expression_that_matches_no_layer_is_refused(model):
    technique = pruning.Pruning(
        final_sparsity=0.5, layers={"block.*": {"final_sparsity": 0.2}}
    )
    with pytest.raises(
        errors.InputError,
        match=re.escape("Received: 'block.*'. Layers with kernels: conv, sc"),
    ):
        technique.apply(model, remembering.context())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Exactly one of `final_sparsity` and `n_of_m`"),
        ({"final_sparsity": 80.0}, "Write 0.8 for 80 %."),
        ({"final_sparsity": 0.5, "begin": 0.9, "end": 0.1}, "begin < end"),
        ({"n_of_m": (4, 2)}, "0 < n < m"),
        (
            {"final_sparsity": 0.5, "initial_sparsity": 0.6},
            "not exceed the final one, 0.5. Received: initial_sparsity=0.6",
        ),
        (
            {"final_sparsity": 0.5, "layers": {"(": {"final_sparsity": 0.1}}},
            "names or regular expressions of layers",
        ),
        (
            {"final_sparsity": 0.5, "layers": {"a": {"sparsity": 0.1}}},
            "Received: 'a': {'sparsity': 0.1}.",
        ),
        (
            {"final_sparsity": 0.5, "layers": {"a": {"final_sparsity": 10}}},
            "Write 0.1 for 10 %.",
        ),
        ({"final_sparsity": 0.5, "criterion": "movement"}, "criterion"),
        ({"final_sparsity": 0.5, "epochs": 0}, "`epochs` must be at least 1"),
    ],
)
def test_rejects_bad_fields(fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        pruning.Pruning(**fields)


def test_reads_its_fields_from_a_recipe():
    technique = base.from_recipe(
        {
            "technique": "pruning",
            "n_of_m": [2, 4],
            "layers": {"stem": {"final_sparsity": 0.3}},
        }
    )
    assert technique.pattern.n_of_m == (2, 4)
    assert base.from_recipe(technique.to_recipe()) == technique
    assert technique.describe() == (
        "pruning(n_of_m=(2, 4), layers={'stem': {'final_sparsity': 0.3}})"
    )
