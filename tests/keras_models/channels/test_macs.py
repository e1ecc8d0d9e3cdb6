# SPDX-License-Identifier: Apache-2.0
"""What models cost, counted by hand."""

import pytest
import tf_keras as keras

from tests.keras_models.channels import blocks
from tflite_opt.conversion import freeze
from tflite_opt.keras_models import opening
from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import macs
from tflite_opt.records import errors
from tflite_opt.tflite import facts

layers = keras.layers


@pytest.mark.parametrize(
    ("builder", "expected"),
    [
        (blocks.plain, 36 * 6 * 27 + 36 * 4 * 6 + 4 * 3),
        (blocks.depth_multiplier, 36 * 6 * 27 + 16 * 12 * 9 + 12 * 3),
        (blocks.dense, 7 * 8 + 8 * 6 + 6 * 3),
        (blocks.conv_1d, 8 * 6 * 9 + 4 * 8 * 9 + 8 * 3),
        (blocks.grouped, 36 * 8 * 27 + 16 * 12 * 18 + 16 * 5 * 12 + 5 * 3),
        (
            blocks.attention,
            16 * 8 * 12
            + (4 * 16 * 8 * 12 + 16 * 16 * 12 * 2)
            + 2 * 16 * 8 * 16
            + 8 * 3,
        ),
        # Down to 4x4, up to 9x9, doubled and cropped to 16x16.
        (blocks.transposed, 16 * 6 * 27 + 16 * 6 * 8 * 9 + 256 * 8 * 2),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_counts_products_of_one_inference(builder, expected):
    model = builder()
    found = macs.count(model, groups_lib.find(model))
    assert found == macs.Count(macs=expected, parameters=model.count_params())


@pytest.mark.parametrize(
    "builder",
    [blocks.attention, blocks.einsum, blocks.separable, blocks.transposed],
    ids=lambda x: x.__name__,
)
def test_counts_what_the_converted_file_computes(builder, tmp_path):
    model = builder()
    opened = opening.from_keras(model)
    source = freeze.Source(opened=opened, content=None, facts=opened.facts)
    path = tmp_path / "float.tflite"
    freeze.write_float(source, tmp_path / "saved_model", path)
    found = facts.read_facts(path, delegation=False)
    expected = sum(operator.macs for operator in found.operators)
    assert macs.count(model, groups_lib.find(model)).macs == expected


def test_foresees_the_cost_of_other_widths():
    model = blocks.plain()
    counter = macs.Counter(model, groups_lib.find(model))
    found = counter.count({"first": 2})
    assert found.macs == 36 * 2 * 27 + 36 * 4 * 2 + 4 * 3
    assert counter.count({"first": 2, "second": 1}).macs < found.macs


def test_a_layer_that_is_called_twice_has_its_weights_once():
    model = blocks.shared()
    found = macs.count(model, groups_lib.find(model))
    assert found.parameters == model.count_params()


def test_open_sizes_have_no_cost():
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 1)(image)
    model = keras.Model(image, layers.GlobalAveragePooling2D()(x))
    with pytest.raises(errors.ModelError, match="all sizes but the batch"):
        macs.Counter(model, groups_lib.find(model))
