# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.records import errors
from tflite_opt.techniques import base, full_integer


def test_every_technique_survives_its_recipe_form():
    for cls in base.conversion_techniques():
        for technique in cls.presets().values():
            assert base.from_recipe(technique.to_recipe()) == technique


def test_an_unknown_technique_lists_the_known_ones():
    with pytest.raises(errors.InputError, match=r"Known: .*full_integer"):
        base.from_recipe({"technique": "magic"})


def test_an_unknown_field_is_named():
    with pytest.raises(
        errors.InputError,
        match="float16 has no field colour. Known: sparse_encoding",
    ):
        base.from_recipe({"technique": "float16", "colour": "red"})


def test_the_description_shows_what_differs_from_the_defaults():
    technique = full_integer.FullInteger(granularity="per_tensor")
    assert technique.describe() == "full_integer(granularity=per_tensor)"
