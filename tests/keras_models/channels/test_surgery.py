# SPDX-License-Identifier: Apache-2.0
"""The smaller model computes what the whole one does with zeros."""

import re

import numpy as np
import pytest

from tests.keras_models.channels import blocks, randomized
from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import macs, surgery
from tflite_opt.records import errors

# What stays of each model: not more MACs than this.
_MOST_MACS = 0.8


@pytest.mark.parametrize("builder", blocks.BUILDERS, ids=lambda b: b.__name__)
def test_computes_what_the_whole_model_does_with_zeros(builder):
    model = randomized.randomize(builder())
    groups = groups_lib.find(model)
    keep = randomized.choose(groups)
    smaller = surgery.shrink(model, groups, keep)
    masked = surgery.masked(model, groups, keep)
    assert randomized.difference(masked, smaller) < 1e-5
    assert randomized.difference(model, smaller) > 1e-2
    assert smaller.input_names == model.input_names
    assert smaller.output_names == model.output_names
    assert smaller.output_shape == model.output_shape
    counter = macs.Counter(model, groups)
    predicted = counter.count({n: len(units) for n, units in keep.items()})
    assert predicted == macs.count(smaller, groups_lib.find(smaller))
    assert predicted.parameters == smaller.count_params()
    assert predicted.macs < _MOST_MACS * counter.count().macs


@pytest.mark.parametrize(
    "keep",
    [[], [0, 0], [1, 0], [6], [-1], [0.5]],
    ids=["none", "twice", "descending", "beyond", "negative", "fraction"],
)
def test_refuses_indices_that_are_no_choice_of_units(keep):
    model = blocks.inverted_residual()
    groups = groups_lib.find(model)
    with pytest.raises(
        errors.InputError,
        match=re.escape(
            "`keep` of 'stem' must be ascending integers in [0, 6)"
        ),
    ):
        surgery.shrink(model, groups, {"stem": np.array(keep)})
