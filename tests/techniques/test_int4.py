# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from tests import factories
from tests.techniques import fake_context
from tflite_opt.records import errors
from tflite_opt.techniques import int4


@pytest.mark.parametrize("mode", ["dynamic", "weight_only"])
def test_gives_int4_where_it_exists_and_int8_elsewhere(mode):
    context = fake_context.FakeContext()
    int4.Int4(mode=mode, algorithm="mse").convert(context)
    bits = {rule.operation: rule.weight_bits for rule in context.rules}
    assert bits["CONV_2D"] == bits["FULLY_CONNECTED"] == 4
    assert bits["CONV_2D_TRANSPOSE"] == 8
    assert {rule.mode for rule in context.rules} == {mode}
    algorithms = {
        rule.algorithm for rule in context.rules if rule.weight_bits == 4
    }
    assert algorithms == {"mse"}


def test_has_no_algorithm_that_aborts_the_process():
    with pytest.raises(errors.InputError, match=re.escape("'hadamard'")):
        int4.Int4(algorithm="hadamard")


def test_rejects_a_file_without_int4_weights():
    model = factories.model_facts(
        factories.tensor(0, role="weight", dtype="int8")
    )
    with pytest.raises(errors.VerificationError, match="in int4"):
        int4.Int4().verify(model)
