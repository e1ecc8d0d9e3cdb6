# SPDX-License-Identifier: Apache-2.0
import dataclasses
import re

import pytest

from tests.post_training import models
from tflite_opt import recipe as recipe_lib
from tflite_opt.conversion import context as context_lib
from tflite_opt.conversion import job, making
from tflite_opt.records import errors, files
from tflite_opt.techniques import (
    base,
    bias_correction,
    equalization,
    full_integer,
    slimming,
)
from tflite_opt.tflite import facts, flatbuffer


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Copied(base.PreparationTechnique):
    """Prepares nothing, so that nothing gets better."""

    technique = "copied"

    def prepare(self, model, destination, representative):
        files.write_bytes(destination, model.read_bytes())
        return ("Copied.",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Broken(base.PreparationTechnique):
    """Gives another function."""

    technique = "broken"

    def prepare(self, model, destination, representative):
        models.shifted(model, destination)
        return ()


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    path = models.separable(tmp_path_factory.mktemp("making") / "float.tflite")
    return context_lib.FrozenModel(
        path,
        facts.read_facts(path, delegation=False),
        None,
        models.examples(40),
    )


def _make(context, tmp_path, **steps):
    recipe = recipe_lib.Recipe(
        name="r", **({"convert": full_integer.FullInteger()} | steps)
    )
    layout = job.Layout(root=tmp_path)
    destination = layout.artifact("r")
    starts = making.convert(recipe, context, layout)
    return making.refine(recipe, starts, layout, destination), layout


def test_a_conversion_alone_leaves_one_file(context, tmp_path):
    made, layout = _make(context, tmp_path)
    assert made.path == layout.artifact("r")
    assert made.parents == [context.float_facts.sha256]
    assert made.notes == ["Ranges are those of 40 samples."]
    assert not layout.unrefined("r", 0).exists()


def test_each_refinement_starts_from_the_file_before(context, tmp_path):
    made, layout = _make(
        context,
        tmp_path,
        refine=(bias_correction.BiasCorrection(), slimming.Slimming()),
    )
    between = [layout.unrefined("r", step) for step in (0, 1)]
    assert made.parents == [
        context.float_facts.sha256,
        *map(files.sha256_of_file, between),
    ]
    assert made.notes[2].startswith("bias_correction ")
    assert made.notes[3].startswith("Slimmed from ")
    assert between[0].stat().st_size == between[1].stat().st_size
    assert made.path.stat().st_size < between[1].stat().st_size


def test_a_preparation_stays_if_the_variant_is_better(
    context, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        making.acceptance.Judgement, "is_better", property(lambda self: True)
    )
    made, layout = _make(
        context, tmp_path, prepare=(equalization.Equalization(),)
    )
    prepared = layout.prepared("r", 0)
    assert made.parents == [
        context.float_facts.sha256,
        files.sha256_of_file(prepared),
    ]
    assert made.notes[0].startswith("Equalized ")
    assert made.notes[1].startswith("equalization kept: KL ")
    plain, _ = _make(context, tmp_path / "plain")
    assert made.path.read_bytes() != plain.path.read_bytes()


def test_a_preparation_that_helps_nothing_is_left_out(context, tmp_path):
    refine = (bias_correction.BiasCorrection(), slimming.Slimming())
    made, layout = _make(context, tmp_path, prepare=(_Copied(),), refine=refine)
    assert made.notes[:2][0] == "Copied."
    assert made.notes[1].startswith("copied left out: KL ")
    plain, other = _make(context, tmp_path / "plain", refine=refine)
    assert made.parents == plain.parents
    assert made.path.read_bytes() == plain.path.read_bytes()
    for step in (0, 1):
        assert (
            layout.unrefined("r", step).read_bytes()
            == other.unrefined("r", step).read_bytes()
        )


def test_another_function_is_refused(context, tmp_path):
    with pytest.raises(
        errors.VerificationError,
        match=r"within 0\.0001 .* Received: output 'y'",
    ):
        _make(context, tmp_path, prepare=(_Broken(),))


def test_too_few_samples_to_judge_by_are_refused(context, tmp_path):
    few = context_lib.FrozenModel(
        context.float_model, context.float_facts, None, models.examples(5)
    )
    with pytest.raises(errors.DataError, match="Received: 5"):
        _make(few, tmp_path, prepare=(equalization.Equalization(),))


def test_what_was_prepared_cannot_go_to_the_converter(context):
    prepared = context.replaced_by(context.float_model)
    with pytest.raises(
        errors.ConversionError, match=re.escape("has been prepared")
    ):
        prepared.tflite_converter(None)


@pytest.mark.parametrize(
    "narrower", ["octav", "mse", "percentile", "moving_average"]
)
def test_ranges_are_narrowed_but_for_the_last_tensor(
    context, tmp_path, narrower
):
    scales = []
    for algorithm in ("min_max", narrower):
        technique = full_integer.FullInteger(activation_algorithm=algorithm)
        made, _ = _make(context, tmp_path / algorithm, convert=technique)
        tensors = flatbuffer.read(made.path).subgraphs[0].tensors
        scales.append(
            {t.name: t.scale[0] for t in tensors if len(t.scale) == 1}
        )
    true, narrowed = scales
    assert narrowed["x"] == true["x"]
    assert narrowed["FULLY_CONNECTED_7"] == true["FULLY_CONNECTED_7"]
    assert narrowed["CONV_2D_5"] < true["CONV_2D_5"]
