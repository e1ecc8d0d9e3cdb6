# SPDX-License-Identifier: Apache-2.0
"""All rules together, on each kind of layer."""

import pytest

from tests.keras_models import kinds
from tests.keras_models.rewriting import same
from tflite_opt.keras_models.rewriting import rewrite

pytestmark = pytest.mark.tensorflow

# They add noise, or read indices.
_NAMES = sorted(set(kinds.NAMES) - {"random_flip", "embedding"})
_FAST = ("conv_relu_bn", "two_readers", "nested", "separable", "custom")


def _check(name):
    found = same.rewritten(kinds.build(name), read=rewrite.for_quantization)
    assert "BatchNormalization" not in same.kinds(found)


@pytest.mark.parametrize("name", _FAST)
def test_a_rewritten_model_computes_the_same(name):
    _check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(_NAMES) - set(_FAST)))
def test_other_rewritten_models_compute_the_same(name):
    _check(name)
