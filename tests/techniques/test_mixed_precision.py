# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests.post_training import models
from tests.tflite import handmade
from tflite_opt.conversion import context as context_lib
from tflite_opt.records import errors
from tflite_opt.techniques import base, mixed_precision
from tflite_opt.tflite import facts, operation_patterns


def _context(path, inputs):
    found = facts.read_facts(path, delegation=False)
    return context_lib.FrozenModel(path, found, None, inputs)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    path = tmp_path_factory.mktemp("mixed") / "float.tflite"
    return _context(models.separable(path), models.examples(20))


def _converted(context, tmp_path, **fields):
    technique = mixed_precision.MixedPrecision(**fields)
    path = tmp_path / "mixed.tflite"
    path.write_bytes(technique.convert(context).content)
    found = facts.read_facts(path, delegation=False)
    technique.verify(found)
    return found


def _weight_dtypes(found):
    """Returns the dtype of each layer's weights and of its output."""
    dtypes = {t.index: t.dtype for t in found.tensors}
    return [
        (dtypes[x.weights[0]], dtypes[x.outputs[0]])
        for x in found.operators
        if x.weights
    ]


_FLOAT, _INT8 = ("float32", "float32"), ("int8", "int8")


def test_a_prefix_stays_float(context, tmp_path):
    found = _converted(context, tmp_path, float_prefix=2)
    assert _weight_dtypes(found) == [_FLOAT] * 2 + [_INT8] * 4
    names = [x.name for x in found.operators]
    # No quantization in front of the first layer, one behind the second.
    assert names[:3] == ["CONV_2D", "DEPTHWISE_CONV_2D", "QUANTIZE"]
    assert found.inputs[0].dtype == "float32"


def test_a_dynamic_last_layer_has_float_scores(context, tmp_path):
    found = _converted(context, tmp_path, dynamic_last_layer=True)
    assert _weight_dtypes(found) == [_INT8] * 5 + [("int8", "float32")]
    assert found.operators[-1].name == "SOFTMAX"
    assert found.outputs[0].dtype == "float32"


@pytest.mark.parametrize(
    "patterns",
    [
        ("CONV_2D_0", "DEPTHWISE_CONV_2D_1"),
        (r"_[01]$",),
        ("CONV_2D_0", r"^DEPTHWISE.*1"),
    ],
    ids=["names", "expression", "both"],
)
def test_layers_are_chosen_by_pattern(context, tmp_path, patterns):
    found = _converted(
        context,
        tmp_path,
        float_layers=patterns,
        inference_input_type="int8",
        inference_output_type="int8",
    )
    assert _weight_dtypes(found) == [_FLOAT] * 2 + [_INT8] * 4
    assert found.inputs[0].dtype == found.outputs[0].dtype == "int8"


def test_a_name_stands_for_itself_before_it_is_an_expression(context, tmp_path):
    # As an expression it matches the depthwise convolution too.
    found = _converted(context, tmp_path, float_layers=("CONV_2D_2",))
    assert _weight_dtypes(found)[2] == _FLOAT
    assert _weight_dtypes(found).count(_FLOAT) == 1


def test_constants_may_stay_float_between_integers(tmp_path):
    path = models.normalized(tmp_path / "float.tflite")
    found = _converted(
        _context(path, models.examples(20)),
        tmp_path,
        float_layers=(
            operation_patterns.exact("MUL_3"),
            operation_patterns.exact("CONV_2D_7"),
        ),
    )
    dtypes = {t.index: t.dtype for t in found.tensors}
    stored = {
        x.name: {dtypes[i] for i in x.inputs}
        for x in found.operators
        if x.name in ("MUL", "ADD")
    }
    assert stored == {"MUL": {"float32"}, "ADD": {"int8"}}
    # The fourth convolution is in float, its neighbours are not.
    assert _weight_dtypes(found)[3:] == [_INT8, _FLOAT, _INT8]


def test_a_layer_is_found_by_its_keras_name(tmp_path):
    network = models.Network((8, 8, 3))
    network.conv(4)
    network.conv(4)
    for tensor in network.builder.model.subgraphs[0].tensors:
        tensor.name = tensor.name.replace("CONV_2D_1", "net/second/Relu6;c")
    path = network.save(tmp_path / "float.tflite")
    found = _converted(
        _context(path, models.examples(20)), tmp_path, float_layers=("second",)
    )
    assert _weight_dtypes(found) == [_INT8, _FLOAT]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"float_layers": ("head",)},
            "Received: 'head'. Outputs of operations: CONV_2D_0, DEPTHWISE",
        ),
        (
            {"float_layers": ("PAD_3",)},
            "it changes nothing. Received: 'PAD_3', which is PAD.",
        ),
        (
            {"float_prefix": 1, "float_layers": ("SOFTMAX_8",)},
            "Received: 'SOFTMAX_8', which is SOFTMAX. Choose its neighbours",
        ),
        ({"float_prefix": 9}, "the model has 9. Received: float_prefix=9"),
    ],
    ids=["nothing", "alone", "alone behind the prefix", "everything"],
)
def test_a_choice_that_does_not_fit_the_model_is_refused(
    context, fields, message
):
    technique = mixed_precision.MixedPrecision(**fields)
    with pytest.raises(errors.InputError, match=re.escape(message)):
        technique.convert(context)


def test_a_last_layer_of_another_kind_cannot_be_dynamic(tmp_path):
    network = models.Network((8, 8, 3))
    network.depthwise()
    path = network.save(tmp_path / "float.tflite")
    technique = mixed_precision.MixedPrecision(dynamic_last_layer=True)
    with pytest.raises(errors.InputError, match="Received: DEPTHWISE_CONV_2D"):
        technique.convert(_context(path, models.examples(20)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "float_prefix=0. Use full_integer"),
        ({"float_prefix": -1}, "float_prefix=-1"),
        ({"float_layers": ("(",)}, "Received: '(': missing )"),
        ({"float_prefix": 1, "inference_input_type": "int16"}, "'int16'"),
        (
            {"dynamic_last_layer": True, "inference_output_type": "int8"},
            "Received: inference_output_type=int8",
        ),
    ],
    ids=["nothing", "negative", "expression", "int16", "int8 scores"],
)
def test_rejects_fields_that_cannot_be(fields, message):
    with pytest.raises(errors.InputError, match=re.escape(message)):
        mixed_precision.MixedPrecision(**fields)


def test_rejects_a_file_without_exceptions(tmp_path):
    technique = mixed_precision.MixedPrecision(float_prefix=1)
    path = handmade.dense().save(tmp_path / "float.tflite")
    with pytest.raises(errors.VerificationError, match="0% of the weights"):
        technique.verify(facts.read_facts(path, delegation=False))
    model = models.quantized(
        models.separable(tmp_path / "net.tflite"), tmp_path / "int8.tflite"
    )
    with pytest.raises(errors.VerificationError, match="all quantized"):
        technique.verify(facts.read_facts(model, delegation=False))


def test_survives_its_recipe_form():
    technique = mixed_precision.MixedPrecision(
        float_prefix=4,
        float_layers=("a", "b"),
        precisions={"c": "int4", "d": "int16"},
        dynamic_last_layer=True,
    )
    assert base.from_recipe(technique.to_recipe()) == technique


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        ("int4", ("int4", "int8")),
        ("int16", ("int8", "int16")),
        ("dynamic", ("int8", "float32")),
        ("float32", _FLOAT),
        ("int8", _INT8),
    ],
)
def test_an_operation_has_the_precision_of_its_pattern(
    context, tmp_path, precision, expected
):
    found = _converted(
        context,
        tmp_path,
        precisions={"CONV_2D_5": precision},
    )
    dtypes = _weight_dtypes(found)
    assert dtypes.pop(4) == expected
    assert dtypes == [_INT8] * 5


def test_float16_weights_are_unpacked_in_front_of_their_operation(
    context, tmp_path
):
    found = _converted(context, tmp_path, precisions={"CONV_2D_0": "float16"})
    dtypes = {t.index: t.dtype for t in found.tensors}
    (first,) = (x for x in found.operators if x.weights and x.index < 2)
    assert [dtypes[i] for i in first.weights] == ["float16"]
    assert found.weight_fraction(frozenset({"float16"})) > 0.05


def test_later_patterns_override_earlier_ones(context, tmp_path):
    found = _converted(
        context,
        tmp_path,
        precisions={"^CONV|^FULLY": "int4", "CONV_2D_[02]": "int8"},
    )
    stored = [weights for weights, _ in _weight_dtypes(found)]
    assert stored == ["int8"] * 4 + ["int4"] * 2


def test_what_has_no_weights_follows_its_neighbours(context, tmp_path):
    found = _converted(context, tmp_path, precisions={"^(CONV|PAD)": "int4"})
    by_name = {x.name: x for x in found.operators}
    dtypes = {t.index: t.dtype for t in found.tensors}
    assert dtypes[by_name["PAD"].outputs[0]] == "int8"


@pytest.mark.parametrize(
    ("precisions", "message"),
    [
        ({"nothing": "int4"}, "pattern of `precisions` must match"),
        (
            {"DEPTHWISE_CONV_2D_1": "int4"},
            "In int4 there are CONV_2D and FULLY_CONNECTED only. Received: "
            "'DEPTHWISE_CONV_2D_1', which means DEPTHWISE_CONV_2D.",
        ),
        (
            {"CONV_2D_0": "float16", "RESHAPE_6": "float32"},
            "Received: 'RESHAPE_6', which is RESHAPE.",
        ),
    ],
    ids=["nothing", "no kernel", "alone"],
)
def test_precisions_that_do_not_fit_the_model_are_refused(
    context, precisions, message
):
    technique = mixed_precision.MixedPrecision(precisions=precisions)
    with pytest.raises(errors.InputError, match=re.escape(message)):
        technique.convert(context)


def test_an_unknown_precision_is_refused():
    with pytest.raises(errors.InputError, match="precisions"):
        mixed_precision.MixedPrecision(precisions={"a": "int5"})


def test_a_file_without_what_was_asked_for_is_refused(tmp_path):
    parent = models.separable(tmp_path / "float.tflite")
    int8 = models.quantized(parent, tmp_path / "int8.tflite")
    found = facts.read_facts(int8, delegation=False)
    for precision in ("int4", "int16", "float16"):
        technique = mixed_precision.MixedPrecision(precisions={"a": precision})
        with pytest.raises(errors.VerificationError, match=f"no {precision}"):
            technique.verify(found)
