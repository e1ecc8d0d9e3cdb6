# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from tests.keras_models import kinds
from tests.keras_models.rewriting import same
from tflite_opt.conversion import tflite_converter
from tflite_opt.keras_models import freezing, loading, saving
from tflite_opt.keras_models.quantization import quantize
from tflite_opt.keras_models.rewriting import rewrite
from tflite_opt.records import conversion
from tflite_opt.tflite import facts, interpreter

pytestmark = pytest.mark.tensorflow

_FAST = ("depthwise", "swish", "two_readers", "attention")
# Noise, indices, no integer kernels, nothing with weights.
_LEFT_OUT = {
    *("random_flip", "embedding", "elu", "conv_elu", "lstm", "gru"),
    *("simple_rnn", "stacked_cells", "bidirectional", "only_lambda"),
    "hard_sigmoid",
}


def _quantized(model):
    """Returns the model, its inputs, and the float outputs."""
    expected, inputs = same.outputs(same.randomize(model))
    graph = rewrite.for_quantization(model)
    (name,) = graph.inputs
    ranges = quantize.observe_ranges(graph, {name: inputs})
    return quantize.quantize(graph, ranges), inputs, expected


def _noise(expected, found):
    return np.sqrt(np.mean((expected - found) ** 2)) / np.std(expected)


def _check_file(name, folder):
    model, inputs, _ = _quantized(kinds.build(name))
    expected = model.predict(inputs, verbose=0)
    saved = folder / "saved"
    freezing.freeze(model, saved)
    path = folder / "int8.tflite"
    path.write_bytes(
        tflite_converter.convert(
            saved,
            conversion.ConverterOptions(
                optimize=True,
                supported_ops="TFLITE_BUILTINS_INT8",
                representative_dataset=True,
            ),
            {model.input_names[0]: inputs},
        )
    )
    assert facts.read_facts(path).quantized_weight_fraction == 1
    (spec,) = interpreter.load(path).inputs
    (found,) = interpreter.predict(path, {spec.name: inputs}).values()
    assert _noise(expected, found) < 0.06


@pytest.mark.parametrize("name", _FAST)
def test_the_file_rounds_where_the_model_does(name, tmp_path):
    _check_file(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(set(kinds.NAMES) - _LEFT_OUT - set(_FAST))
)
def test_other_files_round_where_their_models_do(name, tmp_path):
    _check_file(name, tmp_path)


def test_ranges_are_those_of_the_examples():
    model, inputs, expected = _quantized(kinds.build("conv_bn"))
    weights = {w.name: w.numpy() for w in model.weights}
    low, high = (
        next(x for name, x in weights.items() if f"output_{end}" in name)
        for end in ("min", "max")
    )
    assert low == 0
    assert high == pytest.approx(expected.max())
    (low,) = (x for n, x in weights.items() if "rounding_min" in n)
    assert low == pytest.approx(inputs.min())


def test_outputs_are_those_of_the_float_model_but_for_rounding():
    model, inputs, expected = _quantized(kinds.build("two_readers"))
    assert _noise(expected, model.predict(inputs, verbose=0)) < 0.05


@pytest.mark.parametrize("name", ["conv_bn", "attention", "nested"])
def test_a_model_comes_back_from_its_file(name, tmp_path):
    model, inputs, _ = _quantized(kinds.build(name))
    path = tmp_path / "model.h5"
    saving.save(model, path)
    again = loading.load(path)
    np.testing.assert_array_equal(
        again.predict(inputs, verbose=0), model.predict(inputs, verbose=0)
    )


def test_layers_that_no_wrapper_fits_are_rounded_behind():
    model, _, _ = _quantized(kinds.build("time_distributed"))
    names = [layer.name for layer in model.layers]
    (layer,) = (x for x in names if re.fullmatch(r"time_distributed(_\d+)?", x))
    assert f"{layer}_rounding" in names
