# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.ladder import own_model
from tests.records import test_precision_front as fronts
from tflite_opt.ladder import precision
from tflite_opt.post_training import precision_choice
from tflite_opt.records import precision_front
from tflite_opt.report import precision_text


def _recipe(**fields):
    values = {
        "float_prefix": 0,
        "dynamic_last_layer": False,
        "int4": (),
        "cost": 0.1,
        "size_bytes": 1000,
    }
    choice = precision_choice.Choice(**values | fields)
    return precision.recipe("mixed", choice)


def test_a_choice_becomes_a_recipe_with_all_corrections():
    found = _recipe(float_prefix=2, int4=("a:0", "b"))
    assert found.describe() == (
        "equalization() > mixed_precision(float_prefix=2, "
        "precisions={'^a:0$': 'int4', '^b$': 'int4'}) > bias_correction() > "
        "rounding() > slimming()"
    )


def test_int8_throughout_needs_no_mixed_precision():
    assert _recipe().convert.technique == "full_integer"


def test_the_text_marks_what_was_chosen():
    found = fronts.front()
    title, _, small, middle, _, legend = precision_text.describe(
        found, found.points[1]
    ).splitlines()
    assert title.startswith("precisions")
    assert small.startswith("* first 2 float, 1 int4  ")
    assert middle.startswith("* first 2 float, 1 int4 <")
    assert "2,000" in middle
    assert "scan of 0.5 s" in legend


@pytest.mark.slow
def test_files_of_a_front_are_what_their_recipes_say(tmp_path):
    run, request = own_model.prepared(tmp_path, [precision.INT8])
    found = precision.make_front(request, run, num_points=4)
    assert len(found.points) >= 3
    small, large = found.points[0], found.points[-1]
    assert small.recipe["convert"]["precisions"]
    assert small.artifact.size_bytes < large.artifact.size_bytes
    assert large.is_optimal
    assert large.divergence < small.divergence
    budget = precision_front.PrecisionBudget(
        max_bytes=large.artifact.size_bytes
    )
    assert found.best(budget) == large
