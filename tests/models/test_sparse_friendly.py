# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tflite_opt.conversion import tflite_converter
from tflite_opt.keras_models import freezing, reference
from tflite_opt.keras_models.pruning import criteria, masking, selection
from tflite_opt.lint import rule
from tflite_opt.records import conversion, errors, pruning
from tflite_opt.tflite import facts as facts_reader

pytestmark = pytest.mark.tensorflow

NAMES = ("mobilenet_v1", "mobilenet_v2")


@pytest.mark.parametrize("name", NAMES)
def test_has_the_same_parameters(name):
    usual, friendly = (
        reference.build(
            name,
            (64, 64, 3),
            10,
            width_multiplier=0.25,
            sparse_friendly=chosen,
        )
        for chosen in (False, True)
    )
    assert usual.count_params() == friendly.count_params()
    assert usual.get_layer("pool").input_shape == (
        friendly.get_layer("pool").input_shape
    )


@pytest.mark.parametrize("name", NAMES)
def test_needs_three_channels(name):
    with pytest.raises(
        errors.ModelError,
        match=re.escape(
            "`sparse_friendly` needs images of 3 channels. "
            "Received: input_shape=(28, 28, 1)"
        ),
    ):
        reference.build(name, (28, 28, 1), 10, sparse_friendly=True)


def _linted(model, path):
    """Returns what the linter says after pruning and sparse encoding."""
    targets = selection.select(model, pruning.Pattern(final_sparsity=0.8), {})
    score = criteria.magnitude([t.kernel.variable for t in targets])
    masking.Masking(targets).choose([0.8] * len(targets), score)
    freezing.freeze(model, path.parent / "saved_model")
    options = conversion.ConverterOptions(sparse_encoding=True)
    path.write_bytes(
        tflite_converter.convert(path.parent / "saved_model", options, {})
    )
    found = facts_reader.read_facts(path, delegation=False, values=True)
    (item,) = (
        x for x in rule.lint(found, path) if x.rule == "sparse-inference"
    )
    return item


@pytest.mark.parametrize(
    "name",
    ["mobilenet_v1", pytest.param("mobilenet_v2", marks=pytest.mark.slow)],
)
def test_pruned_it_meets_all_conditions_of_sparse_inference(name, tmp_path):
    model = reference.build(
        name, (32, 32, 3), 10, width_multiplier=0.5, sparse_friendly=True
    )
    item = _linted(model, tmp_path / "model.tflite")
    assert "can apply on Arm" in item.message, item.reason


def test_the_usual_network_fails_by_its_padding(tmp_path):
    model = reference.build(
        "mobilenet_v1", (64, 64, 3), 10, width_multiplier=0.5
    )
    item = _linted(model, tmp_path / "model.tflite")
    assert item.message.endswith(
        "cannot apply: not symmetric padding of 1 at every 3x3 with stride 2"
    )
