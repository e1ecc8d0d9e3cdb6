# SPDX-License-Identifier: Apache-2.0

import pytest

from tests import factories
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


def test_a_float_tensor_inside_breaks_the_promise_of_integers():
    model = factories.model_facts(
        factories.tensor(0, dtype="int8"),
        factories.tensor(1, dtype="float32", name="swish"),
        inputs="int8",
        outputs="int8",
        operators=(("MUL", (0, 1)),),
    )
    with pytest.raises(errors.VerificationError, match="'swish'"):
        base.verify_integer_only(
            full_integer.FullInteger(), model, "int8", "int8"
        )


def test_a_float_tensor_that_nothing_uses_is_not_inside():
    model = factories.model_facts(
        factories.tensor(0, dtype="int8"),
        factories.tensor(1, dtype="float32", name="lstm_intermediate"),
        inputs="int8",
        outputs="int8",
        operators=(("UNIDIRECTIONAL_SEQUENCE_LSTM", (0,)),),
    )
    base.verify_integer_only(full_integer.FullInteger(), model, "int8", "int8")


def test_indices_keep_their_dtype_in_an_integer_model():
    model = factories.model_facts(
        factories.tensor(0, dtype="int8"), inputs="int32", outputs="int8"
    )
    base.verify_integer_only(full_integer.FullInteger(), model, "int8", "int8")
