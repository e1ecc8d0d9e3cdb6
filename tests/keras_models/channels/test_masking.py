# SPDX-License-Identifier: Apache-2.0
"""What the whole model computes with zeros, and the check against it."""

import numpy as np
import pytest

from tests.keras_models.channels import blocks, randomized
from tflite_opt.keras_models.channels import groups as groups_lib
from tflite_opt.keras_models.channels import masking, surgery
from tflite_opt.records import errors

_IMAGES = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")


@pytest.fixture(scope="module")
def model():
    return randomized.randomize(blocks.squeeze_excite())


def test_a_gate_that_opens_for_zero_lets_nothing_through(model):
    keep = {"stem": np.array([0, 3])}
    masked = masking.masked(model, groups_lib.find(model), keep)
    kernel = model.get_layer("after").kernel
    change = np.full((1, 1, 8, 5), 7.0)
    change[:, :, [0, 3]] = 0
    before = masked(_IMAGES)
    kernel.assign_add(change)
    groups = groups_lib.find(model)
    after = masking.masked(model, groups, keep)(_IMAGES)
    kernel.assign_sub(change)
    np.testing.assert_array_equal(before, after)


def test_accepts_what_computes_the_same(model):
    groups = groups_lib.find(model)
    keep = randomized.choose(groups)
    smaller = surgery.shrink(model, groups, keep)
    masking.verify(model, groups, keep, smaller, [_IMAGES])


def test_refuses_a_model_that_lost_other_channels(model):
    groups = groups_lib.find(model)
    smaller = surgery.shrink(model, groups, {"stem": np.array([0, 3])})
    with pytest.raises(errors.VerificationError, match="outputs that differ"):
        masking.verify(
            *(model, groups, {"stem": np.array([1, 4])}, smaller, [_IMAGES])
        )
