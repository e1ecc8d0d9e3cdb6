# SPDX-License-Identifier: Apache-2.0
import pytest

from tflite_opt.ladder import rungs
from tflite_opt.records import sensitivity


def _all(steps=None):
    """Returns what each rung gives if all before were taken."""
    steps, found = rungs.Steps(), {}
    for candidate in rungs.without_training():
        steps = candidate.add(steps)
        found[candidate.name] = steps.recipe(candidate.name, slim=False)
    return steps, found


def test_each_rung_adds_one_step_to_those_before():
    _, found = _all()
    assert {name: recipe.describe() for name, recipe in found.items()} == {
        "int8": "full_integer(inference_input_type=float32, "
        "inference_output_type=float32)",
        "bias_correction": "full_integer(inference_input_type=float32, "
        "inference_output_type=float32) > bias_correction()",
        "equalization": "equalization() > full_integer("
        "inference_input_type=float32, inference_output_type=float32) > "
        "bias_correction()",
        "dynamic_last_layer": "equalization() > mixed_precision("
        "dynamic_last_layer=True) > bias_correction()",
        "rounding": "equalization() > mixed_precision("
        "dynamic_last_layer=True) > bias_correction() > rounding()",
    }


def test_training_starts_anew_and_everything_may_be_slimmed():
    steps, _ = _all()
    recipe = rungs.training().add(steps).recipe("qat", slim=True)
    assert [x.technique for x in recipe.compress] == [
        "quantization_aware_training"
    ]
    assert [x.technique for x in recipe.refine] == ["slimming"]
    assert not recipe.prepare


def _sensitivity(*costs):
    return sensitivity.Sensitivity(
        sha256="0" * 64,
        num_examples=8,
        seconds=0.1,
        input_cost=0.0,
        operations=tuple(
            sensitivity.OperationSensitivity(
                position=position,
                operation="CONV_2D",
                output=f"t{position}",
                layers=(),
                parameters=10,
                macs=100,
                activation_cost=cost,
                weight_cost=0.0,
                int4_cost=0.0,
            )
            for position, cost in enumerate(costs)
        ),
    )


@pytest.mark.parametrize(
    ("costs", "lengths"),
    [
        # Of a prefix the last output is int8 all the same.
        ((8, 1, 1, 1, 1, 1), [2, 3]),
        ((3, 3, 3, 1, 1, 1, 1, 1), [3, 4, 5]),
        ((1, 1, 1, 1, 1, 1, 1, 30, 0), []),
    ],
    ids=["one place", "early", "late"],
)
def test_prefixes_are_as_long_as_the_scan_says(costs, lengths):
    found = [x.name for x in rungs.prefixes(_sensitivity(*costs))]
    assert found == [f"float_prefix_{length}" for length in lengths]


def test_a_prefix_is_set_not_added():
    first, second, _ = rungs.prefixes(_sensitivity(3, 3, 3, 1, 1, 1, 1, 1))
    steps = second.add(first.add(rungs.Steps()))
    assert steps.recipe("r", slim=False).convert.float_prefix == 4
