# SPDX-License-Identifier: Apache-2.0
import json
import pathlib

import pytest

from tests.compression import toy
from tflite_opt import recipe
from tflite_opt.records import errors
from tflite_opt.techniques import (
    bias_correction,
    channel_pruning,
    equalization,
    float16,
    float32,
    full_integer,
    pruning,
    quantization_aware_training,
)


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
    with pytest.raises(
        errors.InputError, match="`refine` must .*slimming.* Received: full_int"
    ):
        recipe.Recipe.from_json(content)


def _compressing(*steps, convert=None):
    return recipe.Recipe(
        name="r", compress=steps, convert=convert or full_integer.FullInteger()
    )


def test_a_legal_order_is_taken_and_described():
    kept = toy.ToySigns(preserve=("sparsity",))
    found = _compressing(toy.ToyZeros(), kept)
    assert found.describe() == (
        "toy_zeros() > toy_signs(preserve=('sparsity',)) > full_integer()"
    )
    assert recipe.Recipe.from_json(json.loads(json.dumps(found.to_json()))) == (
        found
    )


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            (toy.ToyZeros(), toy.ToySigns()),
            r"keep what .* Received: toy_signs without preserve: \[sparsity\]",
        ),
        (
            (toy.ToySigns(preserve=("sparsity",)),),
            r"preserve what an .* preserve: \[sparsity\] after nothing",
        ),
        (
            (toy.ToyZeros(), toy.ToyZeros()),
            "give sparsity once. Received: toy_zeros and toy_zeros",
        ),
        (
            (toy.ToyRanges(), toy.ToyZeros()),
            "quantization-aware last.* Received: toy_zeros after it",
        ),
    ],
    ids=["destroys", "absent", "twice", "after ranges"],
)
def test_an_illegal_order_is_rejected(steps, message):
    with pytest.raises(errors.InputError, match=message):
        _compressing(*steps)


def test_layers_get_other_sizes_first():
    narrow = channel_pruning.ChannelPruning(macs=0.5)
    prune = pruning.Pruning(final_sparsity=0.5)
    convert = full_integer.FullInteger()
    recipe.Recipe(name="good", compress=(narrow, prune), convert=convert)
    with pytest.raises(
        errors.InputError, match="begin with channel_pruning.*pruning before it"
    ):
        recipe.Recipe(name="bad", compress=(prune, narrow), convert=convert)


@pytest.mark.parametrize(
    ("dtype", "message"),
    [("int8", "computes in integers. Received"), ("float32", "in float. Rec")],
)
def test_what_was_measured_is_what_is_made(dtype, message):
    step = channel_pruning.ChannelPruning(latency=0.5, dtype=dtype)
    conversions = {
        "int8": full_integer.FullInteger(),
        "float32": float32.Float32(),
    }
    right = conversions.pop(dtype)
    (wrong,) = conversions.values()
    recipe.Recipe(name="good", compress=(step,), convert=right)
    with pytest.raises(errors.InputError, match=message):
        recipe.Recipe(name="bad", compress=(step,), convert=wrong)


@pytest.mark.parametrize(
    "name", ["int8_bias_corrected", "int8_equalized", "int8_rounded"]
)
def test_presets_that_need_no_training_correct_int8(name):
    found = recipe.presets()[name]
    assert found.compress == ()
    assert found.convert == full_integer.FullInteger()
    assert found.refine[0] == bias_correction.BiasCorrection()


def test_other_conversions_are_corrected_too():
    mixed, int4 = (
        recipe.presets()[name] for name in ("int8_mixed", "int4_rounded")
    )
    assert mixed.convert.float_prefix == 4
    assert mixed.prepare == (equalization.Equalization(),)
    for found in (mixed, int4):
        assert [x.technique for x in found.refine] == [
            "bias_correction",
            "rounding",
        ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"convert": {"technique": "float16"}},
            "in integers for equalization .* Received: convert: float16",
        ),
        (
            {"convert": {"technique": "float16"}, "prepare": []},
            "in integers for bias_correction .* Received: convert: float16",
        ),
        (
            {"convert": {"technique": "int4", "mode": "weight_only"}},
            "Received: convert: int4",
        ),
        (
            {
                "convert": {
                    "technique": "full_integer",
                    "backend": "tflite_converter",
                }
            },
            "prepared with LiteRT Quantizer: .*backend=tflite_converter",
        ),
        (
            {"compress": [{"technique": "toy_signs"}]},
            "keep the clusters that compression gave. Received: equalization "
            "after toy_signs",
        ),
        (
            {
                "compress": [{"technique": "toy_zeros"}],
                "refine": [{"technique": "rounding"}],
            },
            "keep the sparsity .* rounding after toy_zeros",
        ),
        (
            {"compress": [{"technique": "toy_ranges"}], "prepare": []},
            "keep the fake_quantization .* bias_correction after toy_ranges",
        ),
        (
            {"refine": [{"technique": "slimming"}, {"technique": "rounding"}]},
            "end with slimming. Received: rounding after it",
        ),
        (
            {"prepare": [{"technique": "slimming"}]},
            "`prepare` must hold .*equalization.* Received: slimming",
        ),
    ],
    ids=[
        "float",
        "float biases",
        "unpacked weights",
        "converter",
        "clusters",
        "zeros",
        "trained ranges",
        "behind slimming",
        "wrong place",
    ],
)
def test_corrections_are_refused_where_they_make_no_sense(changes, message):
    content = recipe.presets()["int8_equalized"].to_json()
    with pytest.raises(errors.InputError, match=message):
        recipe.Recipe.from_json(content | changes)


def test_sparse_weights_may_be_prepared_and_get_other_biases():
    content = recipe.presets()["int8_equalized"].to_json()
    content["compress"] = [{"technique": "toy_zeros"}]
    found = recipe.Recipe.from_json(content)
    assert found.describe() == (
        "toy_zeros() > equalization() > full_integer() > bias_correction()"
    )


def test_slimming_is_not_done_twice(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "convert: {technique: full_integer}\nrefine: [{technique: slimming}]\n"
    )
    _, found = recipe.parse_names([str(path)])
    assert [step.technique for step in found.refine] == ["slimming"]


def test_trained_ranges_need_the_conversion_that_uses_them():
    with pytest.raises(errors.InputError, match="Received: convert: float16"):
        _compressing(toy.ToyRanges(), convert=float16.Float16())


def test_only_what_a_technique_can_keep_is_preserved():
    with pytest.raises(
        errors.InputError, match="toy_zeros can preserve nothing"
    ):
        toy.ToyZeros(preserve=("clusters",))


def test_the_order_of_what_is_preserved_makes_no_other_recipe():
    kept = [
        quantization_aware_training.QuantizationAwareTraining(preserve=order)
        for order in (("sparsity", "clusters"), ("clusters", "sparsity"))
    ]
    assert kept[0] == kept[1]


def test_a_recipe_is_read_from_a_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "# Half of the weights.\n"
        "compress:\n"
        "  - technique: toy_zeros\n"
        "    promised: 0.25\n"
        "convert: {technique: full_integer, inference_input_type: uint8}\n"
    )
    _, found = recipe.parse_names([str(path)], slim=False)
    assert found.name == "mine"
    assert found.compress == (toy.ToyZeros(promised=0.25),)
    assert found.convert == full_integer.FullInteger(
        inference_input_type="uint8"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("compress: []", "must be a mapping with `convert`"),
        ("", "Received: nothing"),
        ("convert: int8", "mapping with the key `technique`"),
        ("convert: {technique: int7}", "Unknown technique.*Known: .*int4"),
        (
            "convert: {technique: float16, bits: 8}",
            r"float16 has no field bits\. Known: ",
        ),
        (
            "convert: {technique: float16}\npreserve: []",
            r"known keys only: compress, prepare, convert, refine\. "
            "Received: preserve",
        ),
        (
            "convert: {technique: float16}\ncompress: {technique: x}",
            "`compress` must be a list",
        ),
        ("convert: [", r"The recipe .*mine\.yaml' must be YAML"),
        (
            "convert: {technique: float16}\nconvert: {technique: float32}",
            "the key 'convert' twice",
        ),
        (
            "convert: {technique: float16}\ncompress: [{technique: slimming}]",
            r"In mine.yaml: `compress` must hold .* Received: slimming",
        ),
    ],
)
def test_a_bad_file_is_one_clear_error(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(errors.InputError, match=message):
        recipe.parse_names([str(path)])


def test_the_example_is_legal():
    path = pathlib.Path(__file__).parents[1] / "examples" / "recipe.yaml"
    pruned, aware = recipe.read(path).compress
    assert pruned.final_sparsity == 0.5
    assert aware.preserve == ("sparsity",)


def test_the_promised_trained_presets_exist():
    names = {
        *("prune50_int8", "prune80_int8", "prune2of4_int8", "cluster16_int8"),
        *("qat_int8", "prune80_qat_int8", "cluster16_qat_int8"),
        *("prune50_cluster16_qat_int8", "prune80_cluster16_int8"),
        *("lottery80_int8", "distill_int8", "ternary_int8", "binary_int8"),
        "channels50_int8",
        *("channels25_distill_int8", "half_latency_int8"),
    }
    assert names <= set(recipe.presets())


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(errors.InputError, match="No such file"):
        recipe.parse_names([str(tmp_path / "none.yaml")])
