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


def _sensitivity(*costs, names=None):
    return sensitivity.Sensitivity(
        sha256="0" * 64,
        num_examples=8,
        seconds=0.1,
        input_cost=0.0,
        operations=tuple(
            sensitivity.OperationSensitivity(
                position=position,
                operation="CONV_2D",
                output=names[position] if names else f"t{position}",
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
        ((50, 20, 15, 8, 3, 2, 1, 0.5, 0.2, 0.1, 0.1, 0.1), [2, 4, 5, 7, 8]),
    ],
    ids=["one place", "early", "late", "ever less"],
)
def test_prefixes_are_as_long_as_the_scan_says(costs, lengths):
    found = [x.name for x in rungs.prefixes(_sensitivity(*costs))]
    assert found == [f"float_prefix_{length}" for length in lengths]


@pytest.mark.parametrize(
    ("costs", "names"),
    [
        ((8, 1, 1, 1, 1, 1), [1]),
        # Behind what costs nearly everything, the next place matters too.
        ((1, 1, 0, 1e5, 0, 300, 1, 1), [1, 2]),
        ((2, 2, 2, 2, 2, 2), [3]),
        ((0, 0), []),
    ],
    ids=["one place", "hidden", "everywhere", "nothing"],
)
def test_as_few_operations_are_float_as_the_scan_says(costs, names):
    found = [x.name for x in rungs.operations(_sensitivity(*costs))]
    assert found == [f"float_operations_{count}" for count in names]


def test_operations_are_meant_by_their_exact_names():
    scan = _sensitivity(1, 9, 1, 1, names=["a", "a/b (1)[x]+", "c", "d"])
    (candidate,) = rungs.operations(scan)
    steps = candidate.add(rungs.Steps(float_operations=("old",)))
    assert steps.float_operations == ("a/b (1)[x]+",)
    convert = steps.recipe("r", slim=False).convert
    assert convert.float_layers == (r"^a/b\ \(1\)\[x\]\+$",)


def test_single_operations_come_before_prefixes():
    names = [x.name for x in rungs.in_float(_sensitivity(8, 1, 1, 1, 1, 1))]
    assert names == ["float_operations_1", "float_prefix_2", "float_prefix_3"]


def test_a_prefix_is_set_not_added():
    first, second, _ = rungs.prefixes(_sensitivity(3, 3, 3, 1, 1, 1, 1, 1))
    steps = second.add(first.add(rungs.Steps()))
    assert steps.recipe("r", slim=False).convert.float_prefix == 4
