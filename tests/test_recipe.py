# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from tflite_opt import recipe
from tflite_opt.records import errors


def test_the_promised_presets_exist():
    assert set(recipe.presets()) >= {
        "float32",
        "float16",
        "dynamic_range",
        "int8",
        "int8_uint8_io",
        "int8_float_io",
        "int16x8",
        "weight_only_int8",
        "int4",
    }
    assert set(recipe.DEFAULT_NAMES) <= set(recipe.presets())


def test_recipes_survive_json():
    for preset in recipe.presets().values():
        content = json.loads(json.dumps(preset.to_json()))
        assert recipe.Recipe.from_json(content) == preset


def test_float32_is_always_there_and_first():
    names = [r.name for r in recipe.parse_names(["int8", "float16"])]
    assert names == ["float32", "int8", "float16"]
    names = [r.name for r in recipe.parse_names(["int8", "float32"])]
    assert names == ["float32", "int8"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["int8", "int7"], r"Received: int7\. Known: .*int8"),
        ([], "Received: none"),
        (["int8", "int8"], "once"),
    ],
    ids=["unknown", "empty", "twice"],
)
def test_bad_names_are_one_clear_error(names, message):
    with pytest.raises(errors.InputError, match=message):
        recipe.parse_names(names)


def test_slimming_is_the_last_step_unless_switched_off():
    slimmed, _ = recipe.parse_names(["float32", "int8"])
    assert [step.technique for step in slimmed.refine] == ["slimming"]
    assert recipe.Recipe.from_json(slimmed.to_json()) == slimmed
    plain, _ = recipe.parse_names(["float32", "int8"], slim=False)
    assert plain.refine == ()


def test_a_conversion_is_no_refinement():
    content = recipe.presets()["int8"].to_json()
    content["refine"] = [content["convert"]]
    with pytest.raises(errors.InputError, match="refinement techniques"):
        recipe.Recipe.from_json(content)
