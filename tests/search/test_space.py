# SPDX-License-Identifier: Apache-2.0
import json
import re

import numpy as np
import pytest

from tflite_opt import recipe
from tflite_opt.records import errors
from tflite_opt.search import space


def choose_last(name, labels):
    return labels[-1]


def test_every_registered_step_without_settings_can_be_chosen():
    known = space.known_techniques()
    assert {"bias_correction", "rounding", "equalization"} <= set(known)
    assert {"full_integer", "mixed_precision", "pruning"} <= set(known)
    assert "slimming" not in known


def test_zeros_and_clusters_are_left_out_where_files_are_counted():
    plain = space.default_techniques(counts_gzip=False)
    assert set(space.default_techniques(counts_gzip=True)) - set(plain) == {
        "pruning",
        "clustering",
    }


def test_a_proposal_is_a_legal_recipe_that_ends_with_slimming():
    found = space.build(space.known_techniques())
    for number in range(40):
        proposal = found.propose(
            number, lambda name, labels, n=number: labels[n % len(labels)]
        )
        built = recipe.Recipe.from_json(proposal.recipe)
        assert built.refine[-1].technique == "slimming"
        assert proposal.number == number


def test_a_step_is_not_offered_where_it_would_be_illegal():
    found = space.build(["float16", "bias_correction", "equalization"])
    asked = []

    def choose(name, labels):
        asked.append(name)
        return labels[-1]

    assert found.propose(0, choose).name == "float16"
    assert asked == ["conversion"]


def test_training_keeps_what_was_given_before():
    found = space.build(
        ["full_integer", "pruning", "clustering", "quantization_aware_training"]
    )
    proposal = found.propose(0, choose_last)
    assert proposal.name == "int8_float_io_prune80_cluster64_qat_taught"
    kept = [step["preserve"] for step in proposal.recipe["compress"]]
    assert kept == [[], ["sparsity"], ["clusters", "sparsity"]]


def test_the_uncompressed_model_may_teach_in_all_that_trains():
    found = space.build(["full_integer", "pruning", "clustering"])
    taught = found.propose(0, choose_last).recipe["compress"]
    assert [step["distillation"]["weight"] for step in taught] == [0.5, 0.5]
    alone = found.propose(
        0,
        lambda name, labels: labels[0 if name == space.TEACHER else -1],
    )
    assert [x["distillation"] for x in alone.recipe["compress"]] == [None, None]
    assert alone.name == "int8_float_io_prune80_cluster64"


def test_no_teacher_is_asked_for_where_none_is_needed():
    asked = []

    def choose(name, labels):
        asked.append(name)
        return labels[-1]

    space.build(["full_integer", "distillation"]).propose(0, choose)
    space.build(["full_integer", "rounding"]).propose(0, choose)
    assert space.TEACHER not in asked


def test_a_model_is_made_narrower_in_one_way(monkeypatch):
    monkeypatch.setattr(
        space, "_NARROWING", frozenset({"distillation", "clustering"})
    )
    found = space.build(["float16", "distillation", "clustering"])
    assert found.propose(0, choose_last).name == "float16_distill50"


def test_names_tell_recipes_apart():
    found = space.build(space.known_techniques())
    random = np.random.default_rng(0)
    proposals = [
        found.propose(i, lambda name, labels: random.choice(labels))
        for i in range(100)
    ]
    names = {x.name for x in proposals}
    recipes = {json.dumps({**x.recipe, "name": ""}) for x in proposals}
    assert len(names) == len(recipes) > 50


def test_presets_that_are_among_the_recipes_are_known():
    found = space.build(["full_integer", "pruning", "clustering", "rounding"])
    assert {x.name: x.parameters["clustering"] for x in found.presets(5)} == {
        "int8": "none",
        "int8_float_io": "none",
        "int8_uint8_io": "none",
        "int8_cluster16": "cluster16",
        "int8_prune50": "none",
        "int8_prune80": "none",
        "int8_prune80_cluster16": "cluster16",
    }
    for proposal in found.presets(5):
        assert proposal.number == 5
        assert proposal == found.propose(
            5, lambda name, labels, x=proposal: x.parameters[name]
        )


def test_presets_are_known_whatever_they_preserve():
    found = space.build(
        ["full_integer", "pruning", "clustering", "quantization_aware_training"]
    )
    names = {x.name for x in found.presets(0)}
    assert "int8_prune50_cluster16_qat" in names


def test_a_model_without_keras_is_not_trained():
    found = space.build(space.known_techniques()).without_training()
    assert {x.place for x in found.choices} == {"prepare", "refine"}


def test_rejects_an_unknown_technique():
    with pytest.raises(
        errors.InputError,
        match=re.escape("Received: magic. Conversions: dynamic_range"),
    ):
        space.build(["full_integer", "magic"])


def test_rejects_techniques_of_which_none_converts():
    with pytest.raises(errors.InputError, match="one at least must convert"):
        space.build(["pruning"])
