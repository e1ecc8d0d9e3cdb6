# SPDX-License-Identifier: Apache-2.0
import dataclasses

import numpy as np
import pytest

from tests import factories
from tests.tflite import handmade
from tflite_opt.records import errors, facts, tensor_names
from tflite_opt.techniques import base, slimming
from tflite_opt.tflite import facts as facts_reader


@pytest.fixture
def model(tmp_path):
    builder = handmade.dense()
    builder.signature("classify", {"x": 0}, {"y": 3})
    builder.metadata("CONVERSION_METADATA", b"x" * 100)
    return builder.save(tmp_path / "model.tflite")


def test_refines_and_proves_it(model, tmp_path):
    technique = slimming.Slimming()
    destination = tmp_path / "slim.tflite"
    # More than are compared.
    inputs = {"x": np.ones((50, 4), np.float32)}
    (note,) = technique.refine(model, model, destination, inputs)
    assert note.startswith("Slimmed from ")
    assert note.endswith("bit-identical with XNNPACK and builtin.")
    assert destination.stat().st_size < model.stat().st_size
    assert tensor_names.names_for(destination) == {
        (0, 1): "weights",
        (0, 2): "bias",
    }
    before, after = (
        facts_reader.read_facts(path) for path in (model, destination)
    )
    technique.verify(before, after)


def test_works_without_representative_data(model, tmp_path):
    destination = tmp_path / "slim.tflite"
    (note,) = slimming.Slimming().refine(model, model, destination, {})
    assert "bit-identical" in note


def test_survives_its_recipe_form():
    technique = slimming.Slimming()
    assert base.from_recipe(technique.to_recipe()) == technique
    assert isinstance(technique, base.RefinementTechnique)


_BEFORE = factories.model_facts(factories.tensor(0), factories.tensor(1))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"size_bytes": 1001}, "1001 bytes from 1000"),
        ({"num_subgraphs": 2}, "keep num_subgraphs"),
    ],
    ids=["bigger", "structure"],
)
def test_rejects_a_file_that_lost_something(changes, part):
    after = dataclasses.replace(_BEFORE, **changes)
    with pytest.raises(errors.VerificationError, match=part):
        slimming.Slimming().verify(_BEFORE, after)


def test_accepts_a_file_that_lost_names():
    after = dataclasses.replace(
        _BEFORE,
        size_bytes=900,
        tensors=tuple(
            dataclasses.replace(tensor, name="") for tensor in _BEFORE.tensors
        ),
    )
    slimming.Slimming().verify(_BEFORE, after)
    assert isinstance(after, facts.ModelFacts)
